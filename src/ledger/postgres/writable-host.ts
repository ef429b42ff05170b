import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { connectionFailure } from '../../contract/connection-failure.ts';
import type { Host, readTls, Target } from './parse-url.ts';

/** Of each host: a dead one must not use up the time of those that follow it. */
const TIMEOUT_MS = 3_000;

/** As the server itself has it: it is no standby, and nothing has set it to read-only. */
const TAKES_WRITES = `SELECT current_setting('transaction_read_only') = 'off' AS writable`;

/**
 * Finds the first of a target's hosts that takes writes. Those that ask at once are told the same.
 *
 * @throws the error of a host that refused us, or else of the last one; with SQLSTATE 25006 where
 *   all that answered are standbys
 */
export function findWritable(
  target: Target,
  tls: () => ReturnType<typeof readTls>,
): () => Promise<Host> {
  let looking: Promise<Host> | undefined;
  return () => (looking ??= look(target, tls()).finally(() => (looking = undefined)));
}

async function look(target: Target, tls: ReturnType<typeof readTls>): Promise<Host> {
  const problems: unknown[] = [];
  for (const host of target.hosts) {
    try {
      if (await takesWrites(target, host, tls)) return host;
      problems.push(readOnly());
    } catch (error) {
      problems.push(error);
    }
  }
  throw problems.find(isRefusal) ?? problems.at(-1);
}

async function takesWrites(
  { config }: Target,
  host: Host,
  tls: ReturnType<typeof readTls>,
): Promise<boolean> {
  const client = new pg.Client({
    ...config,
    ...host,
    ...(tls === undefined ? {} : { ssl: tls as boolean | ConnectionOptions }),
    application_name: 'agent-once looks for the primary',
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ writable: boolean }>(TAKES_WRITES);
    return rows[0]?.writable === true;
  } finally {
    client.end().catch(() => {});
  }
}

function readOnly(): Error {
  return Object.assign(new Error('None of the servers takes writes.'), { code: '25006' });
}

/** Whether a server said it, or it was a certificate: that tells more than a host that is away. */
function isRefusal(error: unknown): boolean {
  const failure = connectionFailure(error);
  if (failure) return ['certificate', 'client-certificate', 'tls'].includes(failure.kind);
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code);
}
