import { createSecureContext, type ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { ledgerRefused } from '../ledger-errors.ts';
import { readTls, type Target } from './parse-url.ts';
import { findWritable } from './writable-host.ts';

const CERTIFICATE = 'CERTIFICATE-----';

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
  const read = (): ReturnType<typeof readTls> => tlsOf(target);
  const choose = others.length === 0 ? undefined : findWritable(target, read);

  return class extends pg.Client {
    /** The driver keeps it, and looks into it once the server is there. */
    readonly #tls: ConnectionOptions = {};

    constructor(settings: pg.ClientConfig = {}) {
      const tls: ConnectionOptions = {};
      const { config, tls: query } = target;
      // Nothing said: PGSSLMODE, as the driver has it.
      const ssl = query === '' ? {} : { ssl: usesTls(query) ? tls : false };
      super({ ...settings, ...config, ...ssl, host: first.host, port: first.port });
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
      const tls = read();
      if (typeof tls === 'object') Object.assign(this.#tls, tls);
      if (tls === 'no-verify') this.#tls.rejectUnauthorized = false;
      if (choose) Object.assign(this, await choose());
    }
  };
}

/** Whether it asks for TLS. Only files can be wrong with it later. */
function usesTls(query: string): boolean {
  const params = new URLSearchParams(query);
  if (params.has('sslmode')) return params.get('sslmode') !== 'disable';
  if (['sslcert', 'sslkey', 'sslrootcert'].some((name) => params.has(name))) return true;
  return !['0', 'false', 'disable', ''].includes(params.get('ssl') ?? '');
}

/** @throws {AgentOnceError} `ledger.invalid`: which file is missing, or holds something else */
function tlsOf({ tls: query, where }: Target): ReturnType<typeof readTls> {
  if (query === '') return undefined;
  const params = new URLSearchParams(query);
  const named = ['sslrootcert', 'sslcert', 'sslkey'].flatMap((name) => {
    const file = params.get(name);
    return file === null ? [] : [{ name, file }];
  });
  try {
    const tls = readTls(query);
    // Later the driver would throw where nobody listens, and the process would end.
    if (typeof tls === 'object') {
      createSecureContext(tls as ConnectionOptions);
      // Anything else it would pass over, and then know no CA at all.
      if (tls.ca !== undefined && !tls.ca.includes(CERTIFICATE)) throw new Error('No certificate');
    }
    return tls;
  } catch (error) {
    const { path, code } = error as NodeJS.ErrnoException;
    const missing = named.find(({ file }) => file === path);
    const problem = missing
      ? `the file of ${missing.name} in LEDGER_URL, ${missing.file}, cannot be read (${code})`
      : named.length > 0
        ? `a file of ${named.map(({ name }) => name).join(', ')} in LEDGER_URL holds no certificate or key in PEM`
        : 'the TLS parameters of LEDGER_URL do not go together';
    const advice = 'Correct LEDGER_URL, or put the file there.';
    throw ledgerRefused(where, { says: problem, advice }, error);
  }
}
