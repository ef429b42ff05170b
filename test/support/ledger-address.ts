import { inspect } from 'node:util';
import { expect } from '@jest/globals';
import { findFreePort } from '../../src/extras/dev/ports.ts';
import { openLedger, openLedgerReader } from '../../src/ledger/open-ledger.ts';

/** Expects that a URL with a `secret` is refused as a ledger's, without repeating it. */
export async function expectRefused(url: string): Promise<void> {
  for (const open of [openLedger, openLedgerReader]) {
    const error: unknown = await open(url).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'config.invalid' });
    expectNoSecret(error);
  }
}

/** Expects that a ledger that nobody serves is told as such, without credentials. */
export async function expectUnanswered(scheme: string): Promise<void> {
  const address = `127.0.0.1:${await findFreePort()}/0`;
  const url = `${scheme}://u:secret@${address}`;
  const reader = await openLedgerReader(url);
  for (const call of [() => openLedger(url), () => reader.steps('scope')]) {
    const error: unknown = await call().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ledger.unreachable' });
    expect(String(error)).toContain(`The ledger at ${address} does not answer`);
    expectNoSecret(error);
  }
  await reader.close();
}

function expectNoSecret(error: unknown): void {
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('secret');
}
