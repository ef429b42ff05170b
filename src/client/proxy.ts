import { BlockList, isIP } from 'node:net';
import { AgentOnceError } from '../contract/errors.ts';

/** A proxy that is asked for a connection with CONNECT. */
export interface Proxy {
  /** `proxy.example:3128` */
  address: string;
  credentials: { username: string; password: string } | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const TEMPORAL_PORT = '7233';
const LOOPBACK = /^(127\.\d|localhost$|::1$)/;

/**
 * The proxy through which a server is reached, or `undefined`: `HTTPS_PROXY`, but for this machine
 * and what `NO_PROXY` names. Written in small letters they count first, as with curl. The one rule for
 * whoever connects to Temporal: the libraries of clients and workers have two others.
 *
 * @param address `host:port`
 * @throws {AgentOnceError} `config.invalid`; names the variable, never its value: it may be a secret
 */
export function proxyFor(
  address: string,
  // Read by whoever connects, as Temporal's own configuration is.
  // eslint-disable-next-line node/no-process-env
  env: Environment = process.env,
): Proxy | undefined {
  const [name, value] = read(env, 'HTTPS_PROXY');
  const [, exceptions] = read(env, 'NO_PROXY');
  const { host, port } = splitAddress(address);
  if (value === '' || LOOPBACK.test(host) || isExcepted(host, port, exceptions)) return undefined;
  return parseProxy(name, value);
}

/** With Temporal's port where there is none, as its libraries add it. */
export function withPort(address: string): string {
  const { host, port } = splitAddress(address);
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

function read(env: Environment, name: string): [name: string, value: string] {
  const small = name.toLowerCase();
  const set = env[small]?.trim() ? small : name;
  return [set, env[set]?.trim() ?? ''];
}

function parseProxy(name: string, value: string): Proxy {
  const text = value.includes('://') ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const credentials = url && decode(url);
  if (url?.protocol !== 'http:' || url.hostname === '' || credentials === null) {
    throw new AgentOnceError(
      'config.invalid',
      `${name} is not of the form http://host:port or http://user:password@host:port, with special characters percent-encoded. Proxies that are spoken to with TLS, and SOCKS, are not supported. See docs/configuration.md.`,
    );
  }
  return { address: `${url.hostname}:${url.port || '80'}`, credentials };
}

/** `null`: they cannot be decoded. */
function decode({ username, password }: URL): Proxy['credentials'] | null {
  if (username === '') return undefined;
  try {
    return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    return null;
  }
}

function isExcepted(host: string, port: string, exceptions: string): boolean {
  return exceptions
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry === '*' || isInside(host, entry) || isNamed(host, port, entry));
}

/** `10.0.0.0/8` */
function isInside(host: string, entry: string): boolean {
  const [net = '', bits = ''] = entry.split('/');
  const [family, of] = [isIP(net), isIP(host)];
  if (bits === '' || family === 0 || family !== of) return false;
  const type = family === 6 ? 'ipv6' : 'ipv4';
  const prefix = Number(bits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > (family === 6 ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(net, prefix, type);
  return list.check(host, type);
}

/** `example.org`, `.example.org` or `*.example.org`: it and what is below it; `host:port`: that port. */
function isNamed(host: string, port: string, entry: string): boolean {
  const plain = isIP(entry) === 6 ? { host: entry, port: '' } : splitAddress(entry, '');
  if (plain.port !== '' && plain.port !== port) return false;
  const name = plain.host.replace(/^\*?\./, '');
  return name !== '' && (host === name || host.endsWith(`.${name}`));
}

/** Of `host:port`, in small letters; an IPv6 address stands in brackets there, and not here. */
export function splitAddress(
  address: string,
  otherwise = TEMPORAL_PORT,
): { host: string; port: string } {
  const [, bracketed, plain, port = otherwise] =
    /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(address.toLowerCase()) ?? [];
  return { host: bracketed ?? plain ?? address.toLowerCase(), port };
}
