import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { findFreePort } from '../../src/extras/dev/ports.ts';
import { openLedger, openLedgerReader } from '../../src/ledger/open-ledger.ts';

describe('opening a ledger', () => {
  test.each([
    'not a url',
    'mysql://u:secret@h/d',
    'postgres://u:secret@h:port/d',
    'redis://u:secret@h:port/0',
  ])('refuses %s as an address, without repeating it', async (url) => {
    for (const open of [openLedger, openLedgerReader]) {
      const error: unknown = await open(url).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'config.invalid' });
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('secret');
    }
  });

  test.each(['postgres', 'postgresql'])(
    'of %s that nobody serves says that it does not answer, without credentials',
    async (scheme) => {
      const address = `127.0.0.1:${await findFreePort()}/0`;
      const url = `${scheme}://u:secret@${address}`;
      const reader = await openLedgerReader(url);
      for (const call of [() => openLedger(url), () => reader.steps('scope')]) {
        const error: unknown = await call().catch((reason: unknown) => reason);
        expect(error).toMatchObject({ code: 'ledger.unreachable' });
        expect(String(error)).toContain(`The ledger at ${address} does not answer`);
        expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('secret');
      }
      await reader.close();
    },
  );
});
