import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { AgentOnceError } from '../../contract/errors.ts';
import { READY_TIMEOUT_MS, startChild, untilReady, type Child } from './child-process.ts';
import { findFreePort, portInUse, requireFreePort } from './ports.ts';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.ts';
import { prepareDataFolder, stopLeftoverPostgres } from './postgres-data.ts';

export interface PostgresOptions {
  /** Made if missing; kept when the server stops. */
  dataDir: string;
  /** 0 or nothing: any free one. */
  port?: number;
  /** `false` for data that nobody misses after a power cut: tests. Default: true. */
  durable?: boolean;
  /** More of the server's settings, by name. */
  settings?: Readonly<Record<string, string>>;
  /** Everything that the server prints is appended there. */
  logFile?: string;
  log?: (line: string) => void;
}

export interface PostgresServer {
  /** `postgres://postgres:postgres@127.0.0.1:5433/agent_once` */
  url: string;
  pid: number;
  /** Resolves when the server ended, asked or not. */
  exited: Promise<unknown>;
  stop(): Promise<void>;
}

const DATABASE = 'agent_once';
const USE = { part: 'PostgreSQL', flag: '--postgres-port' };
/** A stack that was killed a moment ago is still being stopped by its watchdogs. */
const PORT_WAIT_MS = 3_000;

/**
 * Starts a PostgreSQL of our own on 127.0.0.1 with the database `agent_once`. Whoever calls it must
 * be the only user of the data folder: a server that is found there is taken for a leftover of a
 * killed process and stopped.
 *
 * @throws {AgentOnceError} `port.in_use`, `part.failed`
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const binaries = await findPostgresBinaries();
  const folder = await prepareDataFolder(path.resolve(options.dataDir), binaries.user, options.log);
  await stopLeftoverPostgres(path.join(folder, 'data'), options.log);
  if (!existsSync(path.join(folder, 'data', 'PG_VERSION')))
    await initialise(binaries, folder, options);

  for (let attempt = 1; ; attempt++) {
    const port = options.port || (await findFreePort());
    await requireFreePort(port, USE, PORT_WAIT_MS);
    const child = await startServer(binaries, folder, port, options);
    const url = `postgres://postgres:postgres@127.0.0.1:${port}/${DATABASE}`;
    try {
      await waitUntilReady(child, url);
    } catch (error) {
      await child.stop();
      const output = child.lastLines();
      const portTaken = /address already in use|could not bind/i.test(output);
      // Processes of a killed server may hold its shared memory for some seconds.
      const notYet = /pre-existing shared memory block|lock file "postmaster.pid"/.test(output);
      if (((portTaken && !options.port) || notYet) && attempt < 10) {
        if (notYet) await new Promise((resolve) => setTimeout(resolve, 500));
        continue;
      }
      if (portTaken) throw portInUse(port, USE);
      throw error;
    }
    return { url, pid: child.pid, exited: child.exited, stop: () => child.stop() };
  }
}

function startServer(
  binaries: PostgresBinaries,
  folder: string,
  port: number,
  options: PostgresOptions,
): Promise<Child> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    // TCP only: nothing to leave behind, and no limit on the length of the folder's path.
    unix_socket_directories: '',
    max_connections: '200',
    ...(options.durable === false
      ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }
      : {}),
    ...options.settings,
  };
  return startChild({
    part: 'PostgreSQL',
    command: path.join(binaries.binDir, 'postgres'),
    args: [
      '-D',
      path.join(folder, 'data'),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    ...binaries.user,
    cwd: folder,
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    // Fast shutdown: disconnects clients instead of waiting for them.
    stopSignal: 'SIGINT',
    graceMs: 8_000,
    logFile: options.logFile,
    onLine: options.log,
  });
}

/** Makes the cluster beside its place and moves it there: one that was cut short is never used. */
async function initialise(
  binaries: PostgresBinaries,
  folder: string,
  options: PostgresOptions,
): Promise<void> {
  const partial = path.join(folder, 'data.partial');
  const passwordFile = path.join(folder, 'password');
  await rm(partial, { recursive: true, force: true });
  await rm(path.join(folder, 'data'), { recursive: true, force: true });
  await writeFile(passwordFile, 'postgres\n', { mode: 0o644 });
  try {
    await promisify(execFile)(
      path.join(binaries.binDir, 'initdb'),
      [
        '-D',
        partial,
        '-U',
        'postgres',
        '-A',
        'scram-sha-256',
        `--pwfile=${passwordFile}`,
        '-E',
        'UTF8',
        '--no-locale',
        ...(options.durable === false ? ['--no-sync'] : []),
      ],
      { ...binaries.user, cwd: folder, env: { ...process.env, LC_ALL: 'C' } },
    );
    await rename(partial, path.join(folder, 'data'));
  } catch (cause) {
    const output = String((cause as { stderr?: unknown }).stderr ?? cause).trim();
    throw new AgentOnceError('part.failed', `PostgreSQL could not set up ${folder}:\n${output}`, {
      cause,
    });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function waitUntilReady(child: Child, url: string): Promise<void> {
  await untilReady(child, 'PostgreSQL', async () => {
    const client = new pg.Client({
      connectionString: url.replace(/[^/]+$/, 'postgres'),
      connectionTimeoutMillis: 2_000,
      query_timeout: READY_TIMEOUT_MS,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
      if (found.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
    } finally {
      await client.end().catch(() => undefined);
    }
  });
}
