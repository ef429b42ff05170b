import { createSecureContext, type ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { parse } from 'pg-connection-string';
import { AgentOnceError } from '../../contract/errors.ts';
import { ledgerRefused } from '../ledger-errors.ts';
import { isRefusal } from './database-error.ts';
import type { Host, Target } from './parse-url.ts';

const FILES = ['sslrootcert', 'sslcert', 'sslkey'];
/** Of each of several hosts: a dead one must not use up the time of those that follow it. */
const TIMEOUT_MS = 3_000;
/** As the server itself has it: it is no standby, and nothing has set it to read-only. */
const TAKES_WRITES = `SELECT current_setting('transaction_read_only') = 'off' AS writable`;

type Tls = boolean | ConnectionOptions | undefined;
type Connected = ((error: Error) => void) | ((error: null, client: pg.Client) => void);

/** The driver's client for a `Target`: settings as for `pg.Client`, without those of the target. */
export type LedgerClient = new (settings?: pg.ClientConfig) => pg.Client;

/**
 * Makes the client that connects to a target. With each connection the files of certificates are
 * read anew, since they are renewed while a worker runs, and of several hosts the first is taken
 * that takes writes.
 */
export function ledgerClient(target: Target): LedgerClient {
  const [first, ...others] = target.hosts;
  /** Those that ask at once are told the same. */
  let looking: Promise<Host> | undefined;

  return class extends pg.Client {
    readonly #tls: Tls | AgentOnceError;

    constructor(settings: pg.ClientConfig = {}) {
      const tls = readTls(target);
      const ssl = tls instanceof AgentOnceError ? true : tls;
      super({ ...settings, ...target.config, ...first, ssl });
      this.#tls = tls;
    }

    override connect(): Promise<pg.Client>;
    override connect(callback: Connected): void;
    override connect(callback?: Connected): Promise<pg.Client> | void {
      const ready = this.#prepare();
      if (callback === undefined) return ready.then(() => super.connect());
      ready.then(() => super.connect(callback), callback as (error: Error) => void);
    }

    async #prepare(): Promise<void> {
      const tls = this.#tls;
      if (tls instanceof AgentOnceError) throw tls;
      if (others.length === 0) return;
      looking ??= findWritable(target, tls).finally(() => (looking = undefined));
      Object.assign(this, await looking);
    }
  };
}

/**
 * Reads what the URL says of TLS, and the files that it names.
 *
 * @returns `undefined`: the URL says nothing, and the driver looks into PGSSLMODE; an error,
 *   `ledger.invalid`: which file is missing, or holds something else. In a constructor that the pool
 *   calls, nobody would catch it
 */
function readTls({ tls: params, where }: Target): Tls | AgentOnceError {
  const named = FILES.filter((name) => params.has(name));
  try {
    const { ssl } = parse(`postgres://host/?${params.toString()}`);
    // Named and left empty, they ask for it too.
    if (ssl === undefined) return named.length > 0 || params.has('sslmode') || undefined;
    if (ssl === 'no-verify') return { rejectUnauthorized: false };
    if (typeof ssl === 'string') return !['', 'false', 'disable'].includes(ssl);
    if (typeof ssl !== 'object') return ssl;
    createSecureContext(ssl as ConnectionOptions);
    // Anything else it would pass over, and then know no CA at all.
    if (ssl.ca !== undefined && !ssl.ca.includes('CERTIFICATE-----')) throw new Error('No CA');
    return ssl as ConnectionOptions;
  } catch (error) {
    const { path, code } = error as NodeJS.ErrnoException;
    const missing = named.find((name) => params.get(name) === path);
    const problem = missing
      ? `the file of ${missing} in LEDGER_URL, ${path}, cannot be read (${code})`
      : named.length > 0
        ? `a file of ${named.join(', ')} in LEDGER_URL holds no certificate or key in PEM`
        : 'the TLS parameters of LEDGER_URL do not go together';
    return ledgerRefused(where, problem, 'Correct LEDGER_URL, or put the file there.', error);
  }
}

/**
 * Finds the first of a target's hosts that takes writes.
 *
 * @throws the error of a host that refused us, or else of the last one; with SQLSTATE 25006 where
 *   all that answered are standbys
 */
async function findWritable(target: Target, tls: Tls): Promise<Host> {
  const problems: unknown[] = [];
  for (const host of target.hosts) {
    try {
      if (await takesWrites(target, host, tls)) return host;
      const error = new Error('None of the servers takes writes.');
      problems.push(Object.assign(error, { code: '25006' }));
    } catch (error) {
      problems.push(error);
    }
  }
  throw problems.find(isRefusal) ?? problems.at(-1);
}

async function takesWrites({ config }: Target, host: Host, ssl: Tls): Promise<boolean> {
  const client = new pg.Client({
    ...config,
    ...host,
    ssl,
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
