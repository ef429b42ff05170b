import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { signalProcess } from '../../child-process.ts';
import { readCommandLine } from '../../leftover.ts';
import { findFreePort } from '../../ports.ts';
import { startPostgres, type PostgresServer } from '../../postgres-server.ts';
import { queryOnce } from '../../../../../test/support/database.ts';
import { postgresUrl } from '../../../../../test/support/servers.ts';
import { holdServer, listProcesses, makeFolder, waitUntilGone } from '../processes.ts';

const isRoot = process.getuid?.() === 0;

describe('the local PostgreSQL', () => {
  let folder: string;
  let remove: () => Promise<void>;
  beforeAll(async () => {
    ({ folder, remove } = await makeFolder());
  });
  afterAll(() => remove());

  test('a port in use is an error that names the flag', async () => {
    const port = Number(new URL(postgresUrl()).port);
    await expect(
      startPostgres({ dataDir: path.join(folder, 'in-use'), port, durable: false }),
    ).rejects.toMatchObject({
      code: 'port.in_use',
      message: expect.stringContaining('--postgres-port'),
    });
  });

  test('killed with its parent, it is gone, and the next one finds the kept data', async () => {
    const options = {
      port: await findFreePort(),
      dataDir: path.join(folder, 'kept'),
      durable: false,
    };
    const { parent, server } = await holdServer<PostgresServer>('postgres', options);
    await queryOnce(server.url, "CREATE TABLE kept AS SELECT 'yes' AS answer");
    parent.process.kill('SIGKILL');
    const next = await startPostgres(options);
    try {
      expect(next.url).toBe(server.url);
      await waitUntilGone(server.pid);
      expect(await queryOnce(next.url, 'SELECT answer FROM kept')).toEqual([{ answer: 'yes' }]);
    } finally {
      await next.stop();
    }
    await waitUntilGone(next.pid);
  });

  test('one that even lost its watchdog is stopped by the next one on its data', async () => {
    const options = { dataDir: path.join(folder, 'orphaned'), durable: false };
    const { parent, server } = await holdServer<PostgresServer>('postgres', options);
    const watchdog = await findWatchdog(server.pid);
    signalProcess(watchdog, 'SIGKILL');
    await waitUntilGone(watchdog);
    parent.process.kill('SIGKILL');
    await parent.ended;
    expect(await readCommandLine(server.pid)).toContain(options.dataDir);
    const next = await startPostgres(options);
    try {
      expect(await readCommandLine(server.pid)).toBeUndefined();
      expect(await queryOnce(next.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    } finally {
      await next.stop();
    }
  });

  test('SIGKILL of the server itself: the next start works', async () => {
    const options = { dataDir: path.join(folder, 'crashed'), durable: false };
    const first = await startPostgres(options);
    signalProcess(first.pid, 'SIGKILL');
    await first.exited;
    const next = await startPostgres(options);
    try {
      expect(await queryOnce(next.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    } finally {
      await next.stop();
    }
  });

  // PostgreSQL runs as another user only when we are root.
  (isRoot ? test : test.skip)(
    'data in a folder that only root may enter go elsewhere',
    async () => {
      const closed = path.join(folder, 'closed');
      await mkdir(closed);
      await chmod(closed, 0o700);
      const options = { dataDir: path.join(closed, 'postgres'), durable: false };
      const first = await startPostgres(options);
      await queryOnce(first.url, "CREATE TABLE kept AS SELECT 'yes' AS answer");
      await first.stop();
      const note = path.join(options.dataDir, 'MOVED_TO');
      const moved = (await readFile(note, 'utf8')).trim();
      const next = await startPostgres(options);
      try {
        expect(await queryOnce(next.url, 'SELECT answer FROM kept')).toEqual([{ answer: 'yes' }]);
      } finally {
        await next.stop();
      }
      // Whoever deletes the data folder wants its data gone: the next one that moves sees to it.
      await rm(options.dataDir, { recursive: true });
      const other = await startPostgres(options);
      await other.stop();
      expect(existsSync(moved)).toBe(false);
      await rm((await readFile(note, 'utf8')).trim(), { recursive: true });
    },
  );
});

/** The process whose arguments end with our server's number, its signal and its tries. */
async function findWatchdog(pid: number): Promise<number> {
  const found = (await listProcesses()).find(({ command }) =>
    new RegExp(`watchdog ${pid} INT \\d+$`).test(command),
  );
  if (found === undefined) throw new Error(`No watchdog of ${pid} was found.`);
  return found.pid;
}
