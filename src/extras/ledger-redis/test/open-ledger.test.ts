import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { expectRefused, expectUnanswered } from '../../../../test/support/ledger-address.ts';
import { migrateLedger, openLedger } from '../../../ledger/open-ledger.ts';
import { findFreePort } from '../../dev/ports.ts';

afterEach(() => {
  delete process.env['AGENT_ONCE_REDIS_DURABLE'];
});

describe('opening a ledger in Redis', () => {
  test.each([
    'mysql://u:secret@h/d',
    'redis://u:secret@h:port/0',
    'redis://u:secret@h/name',
    'redis://u:secret%zz@h/0',
    'redis:///0',
  ])('refuses %s as an address, without repeating it', expectRefused);

  test.each(['redis', 'rediss'])(
    'of %s that nobody serves says that it does not answer, without credentials',
    expectUnanswered,
  );

  test('is refused for tools that it cannot serve, before anything is asked', async () => {
    const url = `redis://127.0.0.1:${await findFreePort()}/0`;
    const note = [{ name: 'note', effect: 'transactional' }] as const;
    const send = [{ name: 'send', effect: 'at-most-once' }] as const;
    await expect(openLedger(url, { tools: send })).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringContaining('AGENT_ONCE_REDIS_DURABLE=on'),
    });
    process.env['AGENT_ONCE_REDIS_DURABLE'] = 'on';
    await expect(openLedger(url, { tools: note })).rejects.toMatchObject({
      code: 'ledger.invalid',
      message: expect.stringContaining('"note" is transactional'),
    });
    await expect(openLedger(url, { tools: send })).rejects.toMatchObject({
      code: 'ledger.unreachable',
    });
  });

  test('is refused where the app has migrations: there are no tables to make', async () => {
    const url = `redis://127.0.0.1:${await findFreePort()}/0`;
    const app = fileURLToPath(new URL('../../../../test/support/own-app', import.meta.url));
    for (const open of [() => openLedger(url, { app }), () => migrateLedger(url, [], app)]) {
      await expect(open()).rejects.toMatchObject({
        code: 'ledger.invalid',
        message: expect.stringMatching(/own-app\/migrations.* takes none/),
      });
    }
  });
});
