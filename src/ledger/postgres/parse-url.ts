import pg from 'pg';
import { AgentOnceError } from '../../contract/errors.ts';
import { decoded, splitUrl, type UrlParts } from '../../contract/url-parts.ts';

/**
 * Whose the server's session behind a connection is: `session`, the connection's own for as long as
 * it lives; `transaction`, another one for each transaction; `transaction-prepared`, likewise, with
 * a pooler that keeps track of prepared statements; `auto`, each connection finds out.
 */
const POOLINGS = ['auto', 'session', 'transaction', 'transaction-prepared'] as const;
export type Pooling = (typeof POOLINGS)[number];

export interface Host {
  /** A name, an address, or the folder of a socket; `undefined`: the driver's default. */
  host: string | undefined;
  port: number | undefined;
}

/** What a PostgreSQL URL says, as the driver takes it. */
export interface Target {
  /** In the order in which they are tried. */
  hosts: readonly Host[];
  /** Hosts, ports and database, without credentials: for messages. */
  where: string;
  /** All but the hosts and TLS. */
  config: pg.ClientConfig;
  /** `sslmode`, the files of certificates and the like; empty: the URL says nothing. */
  tls: URLSearchParams;
  /** `?pooling=…` */
  pooling: Pooling;
}

/** Those that are not for the driver, or are passed to it in another way. */
const OWN = [
  'host',
  'port',
  'user',
  'password',
  'dbname',
  'target_session_attrs',
  'connect_timeout',
  'pooling',
];
const OF_TLS = ['ssl', 'sslmode', 'sslcert', 'sslkey', 'sslrootcert', 'uselibpqcompat'];
/** What a ledger needs is written to. */
const WRITABLE = ['any', 'read-write', 'primary'];

/**
 * Reads a URL of the forms that `psql` takes: several hosts, sockets, `host=` and the like behind
 * the `?`.
 *
 * @throws {AgentOnceError} `config.invalid`: what is wrong, without any part of the URL
 */
export function parsePostgresUrl(text: string): Target {
  const parts = splitUrl(text);
  if (parts === undefined) throw invalid();
  const params = new URLSearchParams(parts.query);
  const value = (name: string, otherwise = ''): string | undefined =>
    params.get(name) || decodedOrInvalid(otherwise) || undefined;
  const user = value('user', parts.user);
  const password = value('password', parts.password);
  const database = value('dbname', parts.path.slice(1));
  const session = params.get('target_session_attrs') ?? 'any';
  if (!['postgres', 'postgresql'].includes(parts.scheme) || parts.fragment !== '') throw invalid();
  if (!WRITABLE.includes(session)) {
    throw invalid(
      'LEDGER_URL asks for a server that takes no writes (target_session_attrs), and a ledger is written to. Leave it out, or set it to read-write.',
    );
  }
  const hosts = readHosts(parts, params);
  const forDriver = [...params].filter(([name]) => ![...OWN, ...OF_TLS].includes(name));
  const config = { ...Object.fromEntries(forDriver), user, password, database };
  try {
    // It refuses some values by throwing, and later nobody would be there to catch it.
    new pg.Client({ ...config, ssl: true });
  } catch {
    throw invalid();
  }
  return {
    hosts,
    where: `${hosts.map(describeHost).join(',')}/${database ?? ''}`,
    config,
    tls: readTlsParams(hosts, params),
    pooling: readPooling(params.get('pooling')),
  };
}

function readTlsParams(hosts: readonly Host[], params: URLSearchParams): URLSearchParams {
  // The servers speak no TLS over a socket, and `psql` does not ask for it there.
  const sockets = hosts.every(({ host }) => host?.startsWith('/'));
  if (sockets) return new URLSearchParams('sslmode=disable');
  const tls = new URLSearchParams([...params].filter(([name]) => OF_TLS.includes(name)));
  // The CAs that everybody trusts, instead of a file.
  const system = tls.get('sslrootcert') === 'system';
  if (system) tls.delete('sslrootcert');
  // The driver takes them for it as well, but warns on stderr that a later one will not.
  const weaker = ['prefer', 'require', 'verify-ca'].includes(tls.get('sslmode') ?? '');
  if (system || (weaker && tls.get('uselibpqcompat') !== 'true')) tls.set('sslmode', 'verify-full');
  return tls;
}

function readPooling(text: string | null): Pooling {
  const pooling = POOLINGS.find((known) => known === (text ?? 'auto'));
  if (pooling !== undefined) return pooling;
  throw invalid(
    `"pooling" in LEDGER_URL is none of ${POOLINGS.join(', ')}. Leave it out: then it is found out.`,
  );
}

/** `a:1,b:2`, or `host=a,b&port=1,2`. */
function readHosts(parts: UrlParts, params: URLSearchParams): Host[] {
  const named = params.get('host');
  const authority = parts.host.split(',').map((each) => {
    const [, host, port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(each) ?? [];
    if (host === undefined) throw invalid();
    return { host: decodedOrInvalid(host).replace(/^\[(.*)\]$/, '$1'), port };
  });
  const hosts = named ? named.split(',') : authority.map(({ host }) => host);
  const ports = params.get('port')?.split(',') ?? authority.map(({ port }) => port);
  if (ports.length !== 1 && ports.length !== hosts.length) throw invalid();
  return hosts.map((host, at) => ({
    host: readHost(host),
    port: readPort(ports.length === 1 ? ports[0] : ports[at]),
  }));
}

function readHost(host: string): string | undefined {
  if (host === '') return undefined;
  // What is neither a name, an address nor a folder is no host: it may be half a password.
  if (!/^(?:\/[^\0]*|[\w.-]+|[0-9a-f:.]+(?:%\w+)?)$/i.test(host)) throw invalid();
  return host;
}

function readPort(port: string | undefined): number | undefined {
  if (port === undefined || port === '') return undefined;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw invalid();
  return Number(port);
}

function describeHost({ host, port }: Host): string {
  const isV6 = host?.includes(':') === true && !host.startsWith('/');
  const name = isV6 ? `[${host}]` : (host ?? 'the default host');
  return port === undefined ? name : `${name}:${port}`;
}

function decodedOrInvalid(text: string): string {
  const result = decoded(text);
  if (result === undefined) throw invalid();
  return result;
}

const WANTED =
  'LEDGER_URL is not a PostgreSQL URL: postgres://user:password@host:port/database, with special characters in the password percent-encoded, such as %2F for / and %40 for @.';

/** Without the URL and without a parser's error, which repeats it: it holds a password. */
function invalid(message = WANTED): AgentOnceError {
  return new AgentOnceError('config.invalid', message);
}
