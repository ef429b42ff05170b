import { afterAll, beforeAll, describe } from '@jest/globals';
import type { LedgerKeeper } from '../../src/ledger/keeper.ts';
import type { Ledger } from '../../src/ledger/port.ts';
import { testClaims } from './contract/claims.ts';
import { testCleaning } from './contract/cleaning.ts';
import { testConcurrency } from './contract/concurrency.ts';
import { testEdits } from './contract/edits.ts';
import { testEndings } from './contract/endings.ts';
import { testOutcomeUnknown } from './contract/outcome-unknown.ts';
import { testRecords } from './contract/records.ts';
import { testRestores } from './contract/restores.ts';
import { testAsking } from './contract/asking.ts';
import { testRounds } from './contract/rounds.ts';
import { testShares } from './contract/shares.ts';

/** A store for one suite. */
export interface LedgerBackend {
  /** Opens a ledger on it; each is a worker of its own. */
  open(): Promise<Ledger>;
  /** Removes the store; all ledgers are closed by then. */
  drop(): Promise<void>;
}

/** A store that also somebody looks after. */
export interface KeptBackend extends LedgerBackend {
  openKeeper(): Promise<LedgerKeeper>;
}

const WORKERS = 4;

/** What every backend of the `Ledger` port promises. */
export function describeLedgerContract(name: string, create: () => Promise<KeptBackend>): void {
  describe(`${name} as a ledger`, () => {
    let backend: KeptBackend | undefined;
    const workers: Ledger[] = [];

    beforeAll(async () => {
      backend = await create();
      for (let i = 0; i < WORKERS; i++) workers.push(await backend.open());
    });
    afterAll(async () => {
      await Promise.all(workers.map((worker) => worker.close()));
      await backend?.drop();
    });

    const ledger = (): Ledger => {
      const [first] = workers;
      if (first === undefined) throw new Error('the ledger did not open');
      return first;
    };
    // First: it looks through everything that the others leave.
    testCleaning(ledger);
    testClaims(ledger);
    testEndings(ledger);
    testOutcomeUnknown(ledger);
    testRecords(ledger);
    testRounds(ledger);
    testAsking(ledger);
    testEdits(() => workers);
    testShares(() => workers);
    testConcurrency(() => workers);
    // Last: the others know the ledger as it was.
    testRestores(ledger, () => {
      if (backend === undefined) throw new Error('the ledger did not open');
      return backend.openKeeper();
    });
  });
}
