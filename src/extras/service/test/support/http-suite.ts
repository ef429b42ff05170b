import { once } from 'node:events';
import net from 'node:net';
import { openTestKeys, startTestService, type TestKeys, type TestService } from './service.ts';
import { startTestSystem, type TestSystem } from '../../../../../test/support/system.ts';

/** An answer that was read from the wire. */
export interface RawAnswer {
  status: number;
  headers: Headers;
  /** Empty where there was none. */
  body: Record<string, unknown>;
}

/** A service on a system of its own, and an API key that may do everything. */
export interface HttpSuite {
  system: TestSystem;
  service: TestService;
  keys: TestKeys;
  key: string;
  /** Another process of the service, on the same system. */
  startAnother(env?: Record<string, string>): Promise<TestService>;
  /** As the suite's key, unless the headers say otherwise. A text is sent as it is. */
  send(method: string, path: string, more?: Sent): Promise<Response>;
  /** Starts a run of `tester` with a header as it stands on the wire. */
  start(idempotencyKey: string, body: unknown, more?: Sent): Promise<Response>;
  close(): Promise<void>;
}

export interface Sent {
  headers?: Record<string, string>;
  body?: unknown;
  /** Default: the suite's own. */
  service?: TestService;
  agent?: string;
  signal?: AbortSignal;
}

/** @param settings of all its processes of the service */
export async function startHttpSuite(
  settings: Record<string, string> | ((system: TestSystem) => Record<string, string>) = {},
): Promise<HttpSuite> {
  const system = await startTestSystem();
  const env = typeof settings === 'function' ? settings(system) : settings;
  const services: TestService[] = [];
  const startAnother = async (more: Record<string, string> = {}): Promise<TestService> => {
    const started = await startTestService(system, { ...env, ...more });
    services.push(started);
    return started;
  };
  const service = await startAnother();
  const keys = await openTestKeys(system);
  const key = await keys.keyOf();
  const send: HttpSuite['send'] = (method, path, more = {}) => {
    const { headers, body, signal } = more;
    return fetch(`${(more.service ?? service).url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  };
  return {
    system,
    service,
    keys,
    key,
    startAnother,
    send,
    start: (idempotencyKey, body, more = {}) =>
      send('POST', `/v1/agents/${more.agent ?? 'tester'}/runs`, {
        ...more,
        body,
        headers: { 'idempotency-key': idempotencyKey, ...more.headers },
      }),
    async close() {
      await Promise.all(services.map((each) => each.kill()));
      await keys.close();
      await system.close();
    },
  };
}

/** What `fetch` would not send: header lines as bytes, to `POST /v1/agents/tester/runs`. */
export async function sendRaw(
  { service, key }: Pick<HttpSuite, 'service' | 'key'>,
  lines: readonly string[],
  body: string,
): Promise<RawAnswer> {
  const { hostname, port } = new URL(service.url);
  const socket = net.connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  const head = [
    'POST /v1/agents/tester/runs HTTP/1.1',
    `Host: ${hostname}`,
    'Connection: close',
    `Authorization: Bearer ${key}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...lines,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  await once(socket, 'close');
  return readAnswer(Buffer.concat(chunks).toString('utf8'));
}

function readAnswer(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = new Headers();
  for (const line of lines) headers.append(...split(line));
  const content = rest.join('\r\n\r\n');
  return {
    status: Number(statusLine.split(' ')[1]),
    headers,
    body: content === '' ? {} : (JSON.parse(content) as Record<string, unknown>),
  };
}

function split(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}
