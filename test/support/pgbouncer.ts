import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startChild, type Child } from '../../src/extras/dev/child-process.ts';
import { findFreePort } from '../../src/extras/dev/ports.ts';
import { findPostgresBinaries } from '../../src/extras/dev/postgres-binaries.ts';
import { queryOnce } from './database.ts';
import { eventually } from './eventually.ts';
import { findProgram } from './find-program.ts';
import { postgresUrl } from './servers.ts';

/** A PgBouncer of a suite's own, before the PostgreSQL that all suites share: Debian's package. */
export interface PgBouncer {
  /** The same database, with this between. */
  through(url: string): string;
  stop(): Promise<void>;
}

/** @param settings of `pgbouncer.ini` beside the address and the users */
export async function startPgBouncer(
  settings: Record<string, string>,
  users: Record<string, string> = {},
): Promise<PgBouncer> {
  const program = await findProgram('pgbouncer');
  if (program === undefined) throw new Error('pgbouncer is not installed.');
  const server = new URL(postgresUrl());
  const port = await findFreePort();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-pgbouncer-'));
  await chmod(folder, 0o755);
  const userList = path.join(folder, 'users.txt');
  const all = { [server.username]: server.password, ...users };
  const lines = Object.entries(all).map(([name, password]) => `"${name}" "${password}"`);
  await writeFile(userList, `${lines.join('\n')}\n`);
  const ini = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: userList,
    ...settings,
  };
  const file = path.join(folder, 'pgbouncer.ini');
  await writeFile(
    file,
    `[databases]\n* = host=${server.hostname} port=${server.port}\n[pgbouncer]\n${Object.entries(
      ini,
    )
      .map(([name, value]) => `${name} = ${value}\n`)
      .join('')}`,
  );
  // It refuses to run as root, as PostgreSQL does.
  const { user } = await findPostgresBinaries();
  const child: Child = await startChild({
    part: 'PgBouncer',
    command: program,
    args: [file],
    cwd: folder,
    stopSignal: 'SIGINT',
    ...user,
  });
  const through = (url: string): string => {
    const there = new URL(url);
    there.port = String(port);
    return there.href;
  };
  const stop = async (): Promise<void> => {
    await child.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await eventually(async () => {
      if (!child.hasExited()) await queryOnce(through(postgresUrl()), 'SELECT 1');
    });
    if (child.hasExited()) throw new Error(`PgBouncer did not start:\n${child.lastLines()}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { through, stop };
}
