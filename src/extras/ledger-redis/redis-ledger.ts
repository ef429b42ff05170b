import { AgentOnceError } from '../../contract/errors.ts';
import type { Ledger } from '../../ledger/port.ts';
import { claimStep, renewClaim } from './claim.ts';
import { redisCleaner } from './cleaner.ts';
import { Connection } from './connection.ts';
import { assertDurable } from './durability.ts';
import { endings } from './finish.ts';
import { readIdentity } from './identity.ts';
import { keys } from './keys.ts';
import { questions } from './questions.ts';
import { records } from './records.ts';
import { loadScript } from './script.ts';
import { shareStep } from './share.ts';

const OPEN = loadScript('open');
/** Counts changes of what the keys hold. */
const FORMAT = 1;

/**
 * Opens the ledger in a Redis database (version 7 or newer). Each method is one script, which Redis
 * runs alone, by its own clock. What a server that fails over forgets is in docs/adr/0008. Close it
 * when done.
 *
 * @param url `redis://user:password@host:port/number`, or `rediss://` with TLS
 * @param durableFor names of tools that must not run while the server may forget what it answered
 * @throws {AgentOnceError} `config.invalid`, `ledger.unreachable`, `ledger.invalid`
 */
export async function createRedisLedger(
  url: string,
  durableFor: readonly string[],
): Promise<Ledger> {
  const connection = new Connection(url);
  try {
    await assertUsable(connection);
    if (durableFor.length > 0) await assertDurable(connection, durableFor);
  } catch (error) {
    await connection.close();
    throw error;
  }
  return {
    transactions: false,
    cleaner: redisCleaner(connection),
    claim: (step) => claimStep(connection, step),
    renew: (claim) => renewClaim(connection, claim),
    ...endings(connection),
    ...questions(connection),
    transact: () =>
      Promise.reject(
        new AgentOnceError(
          'ledger.invalid',
          'A Redis ledger has no transactions for tools. Nothing was done. Set LEDGER_URL to a PostgreSQL ledger, or give the tool another effect.',
        ),
      ),
    share: (request) => shareStep(connection, request),
    async retire(scope) {
      await connection.command(['SET', keys.retired(scope), Date.now()]);
    },
    identity: () => readIdentity(connection),
    ...records(connection),
    close: () => connection.close(),
  };
}

/** Whether it is a server that scripts can use, and holds what they understand. */
async function assertUsable(connection: Connection): Promise<void> {
  const found = await connection.run(OPEN, [keys.format, keys.index('')], [FORMAT]);
  if (String(found) === String(FORMAT)) return;
  throw new AgentOnceError(
    'ledger.invalid',
    `The ledger at ${connection.where} was written by a newer version of this program. Nothing was changed. Deploy that version here too, or set LEDGER_URL to another database.`,
  );
}
