import type { Stats } from 'node:fs';
import { chmod, chown, cp, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findFreePort } from '../../../src/extras/dev/ports.ts';
import { startPostgres, type PostgresServer } from '../../../src/extras/dev/postgres-server.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { openLedger } from '../../../src/ledger/open-ledger.ts';
import { queryOnce } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { startRedis, type RedisServer } from '../../support/redis-server.ts';
import { claimed, stepClaim } from '../../ledger/steps.ts';

describe('a Redis whose name moves to another server', () => {
  let old: RedisServer;
  let next: RedisServer;
  beforeAll(async () => {
    [old, next] = await Promise.all([startRedis(), startRedis()]);
  });
  afterAll(async () => {
    await (old as RedisServer | undefined)?.stop();
    await (next as RedisServer | undefined)?.stop();
  });

  test('is followed there: one answer of the demoted server, then those of the new one', async () => {
    const name = await startTcpProxy(old.address);
    const ledger = await openLedger(`redis://${name.address}/0`);
    try {
      await claimed(ledger, stepClaim());
      const [host = '', port = ''] = next.address.split(':');
      name.switchTo(next.address);
      // The open connection stays with the demoted server, which answers.
      await old.command('REPLICAOF', host, port);
      const step = stepClaim();
      await expect(ledger.claim(step)).rejects.toMatchObject({
        code: 'ledger.unreachable',
        message: expect.stringContaining('(READONLY). It takes no writes'),
      });
      expect(await ledger.claim(step)).toMatchObject({ state: 'claimed' });
      expect(name.connections()).toBe(2);
    } finally {
      await ledger.close();
      await name.stop();
    }
  });

  test('answers what was sent before on the same connection', async () => {
    await old.command('REPLICAOF', 'NO', 'ONE');
    const ledger = await openLedger(old.url);
    try {
      const step = stepClaim();
      await claimed(ledger, step);
      await old.command('REPLICAOF', ...next.address.split(':'));
      const results = await Promise.allSettled([
        ledger.claim(stepClaim()),
        ledger.step(step.scope, step.step),
        ledger.claim(stepClaim()),
      ]);
      for (const result of results) {
        if (result.status === 'rejected') {
          expect(String(result.reason)).toContain('(READONLY)');
        }
      }
    } finally {
      await ledger.close();
    }
  });

  test('lets in whoever has the new password, once it is the same again', async () => {
    const server = await startRedis({ requirepass: 'first' });
    const ledger = await openLedger(server.url);
    try {
      await claimed(ledger, stepClaim());
      // What is open stays open; a connection that is made anew is refused.
      await server.command('CONFIG', 'SET', 'requirepass', 'second');
      await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await eventually(() =>
        expect(ledger.claim(stepClaim())).rejects.toMatchObject({ code: 'ledger.invalid' }),
      );
      await server.command('CONFIG', 'SET', 'requirepass', 'first');
      expect(await ledger.claim(stepClaim())).toMatchObject({ state: 'claimed' });
    } finally {
      await ledger.close();
      await server.stop();
    }
  });
});

describe('a PostgreSQL whose name moves to another server', () => {
  let folder: string;
  let primary: PostgresServer;
  let standby: PostgresServer;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'ledger-failover-'));
    await chmod(folder, 0o755);
    const port = await findFreePort();
    const dataDir = path.join(folder, 'primary');
    primary = await startPostgres({ dataDir, port, durable: false });
    await (await openLedger(primary.url)).close();
    await primary.stop();
    // The same data, as a server that only reads.
    await cp(dataDir, path.join(folder, 'standby'), { recursive: true, preserveTimestamps: true });
    await giveTo(await stat(path.join(dataDir, 'data')), path.join(folder, 'standby'));
    await writeFile(path.join(folder, 'standby/data/standby.signal'), '');
    primary = await startPostgres({ dataDir, port, durable: false });
    standby = await startPostgres({ dataDir: path.join(folder, 'standby'), durable: false });
  });
  afterAll(async () => {
    await (primary as PostgresServer | undefined)?.stop();
    await (standby as PostgresServer | undefined)?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('is followed there: of all connections to the old one, none is used again', async () => {
    const name = await startTcpProxy(addressOf(standby));
    const ledger = await openLedger(standby.url.replace(addressOf(standby), name.address));
    try {
      const step = stepClaim();
      // As many connections as there are questions at once.
      await Promise.all(Array.from({ length: 8 }, () => ledger.steps(step.scope)));
      const before = name.connections();
      expect(before).toBeGreaterThan(1);
      name.switchTo(addressOf(primary));
      await expect(ledger.claim(step)).rejects.toMatchObject({
        code: 'ledger.unreachable',
        message: expect.stringContaining('(25006). It takes no writes'),
      });
      const claim = await claimed(ledger, step);
      expect(await ledger.complete(claim, { result: 1 })).toBe('recorded');
      expect(await ledger.steps(step.scope)).toHaveLength(1);
    } finally {
      await ledger.close();
      await name.stop();
    }
  });

  test('is followed there by transactions of tools', async () => {
    const name = await startTcpProxy(addressOf(standby));
    const ledger = await openLedger(standby.url.replace(addressOf(standby), name.address));
    const direct = await openLedger(primary.url);
    try {
      const claim = await claimed(direct, stepClaim());
      const transact = () =>
        ledger.transact(claim, async (tx) => {
          await tx.query('SELECT 1');
          return { result: 1 };
        });
      const refused = transact();
      await expect(refused).rejects.toMatchObject({ code: 'ledger.unreachable' });
      await expect(refused).rejects.toThrow(/It takes no writes/);
      name.switchTo(addressOf(primary));
      expect(await transact()).toBe(true);
    } finally {
      await direct.close();
      await ledger.close();
      await name.stop();
    }
  });

  test.each([
    ['in any order', (a: string, b: string) => `${a},${b}`],
    ['behind one that is away', (a: string, b: string) => `127.0.0.1:1,${a},${b}`],
  ])('is found among several hosts %s, also after it moved', async (_how, hosts) => {
    const both = hosts(addressOf(standby), addressOf(primary));
    const url = `postgres://postgres:postgres@${both}/agent_once?target_session_attrs=read-write`;
    const ledger = await openLedger(url);
    try {
      const step = stepClaim();
      await claimed(ledger, step);
      expect(await queryOnce(primary.url, stepsOf(step.scope))).toHaveLength(1);
    } finally {
      await ledger.close();
    }
  });

  test('where all of several hosts only read, it does not answer', async () => {
    const hosts = `${addressOf(standby)},127.0.0.1:1`;
    await expect(
      openLedger(`postgres://postgres:postgres@${hosts}/agent_once`),
    ).rejects.toMatchObject({
      code: 'ledger.unreachable',
      message: expect.stringMatching(/25006.*It takes no writes/),
    });
  });

  // Last: it changes which of them is the primary.
  test('moves on to the host that took over', async () => {
    const hosts = `${addressOf(primary)},${addressOf(standby)}`;
    const ledger = await openLedger(`postgres://postgres:postgres@${hosts}/agent_once`);
    try {
      await claimed(ledger, stepClaim());
      await primary.stop();
      await queryOnce(standby.url, 'SELECT pg_promote()');
      const step = stepClaim();
      await eventually(async () => claimed(ledger, step));
      expect(await queryOnce(standby.url, stepsOf(step.scope))).toHaveLength(1);
    } finally {
      await ledger.close();
    }
  });
});

/** PostgreSQL takes no data that belong to another user than its own. */
async function giveTo({ uid, gid }: Stats, folder: string): Promise<void> {
  await chown(folder, uid, gid);
  for (const name of await readdir(folder, { recursive: true })) {
    await chown(path.join(folder, name), uid, gid);
  }
}

function addressOf({ url }: PostgresServer): string {
  return new URL(url).host;
}

function stepsOf(scope: string): string {
  return `SELECT step FROM agent_once.steps WHERE scope = '${scope}'`;
}
