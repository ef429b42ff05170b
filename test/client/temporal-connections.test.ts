import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Runtime } from '@temporalio/worker';
import { connect } from '../../src/client/connect.ts';
import { connectWorker } from '../../src/worker/connect.ts';
import { makeCertificates, serverTls, type Certificates } from '../support/certificates.ts';
import { temporalAddress } from '../support/servers.ts';

const environment = { ...process.env };
const servers: net.Server[] = [];
const sockets = new Set<net.Socket>();
let files: Certificates;
/** In front of the real server, with TLS. */
let withTls: string;
/** The same, for clients with a certificate. */
let withClientTls: string;
/** A TOML file with an API key in a line that is not closed. */
let settings: string;
/** Accepts connections, and says nothing. */
let silent: string;
/** Proxies that make no connection, by what they answer. */
let proxies: Record<403 | 407, string>;

beforeAll(async () => {
  files = await makeCertificates();
  settings = path.join(path.dirname(files.ca), 'settings.toml');
  await writeFile(settings, '[profile.default]\napi_key = "secret-key\n');
  const own = await serverTls(files);
  withTls = await listen(tls.createServer({ ...own, ALPNProtocols: ['h2'] }, toTemporal));
  withClientTls = await listen(
    tls.createServer(
      { ...own, ALPNProtocols: ['h2'], requestCert: true, ca: await readFile(files.ca) },
      toTemporal,
    ),
  );
  proxies = { 403: await refusingProxy(403), 407: await refusingProxy(407) };
  silent = await listen(net.createServer((socket) => void socket.on('error', () => {})));
});
afterEach(() => {
  process.env = { ...environment };
});
afterAll(async () => {
  for (const server of servers) server.close();
  for (const socket of sockets) socket.destroy();
  await Runtime.instance().shutdown();
  await (files as Certificates | undefined)?.remove();
});

const localhost = (address: string) => address.replace('127.0.0.1', 'localhost');
const trusted = () => ({ TEMPORAL_TLS: 'true', TEMPORAL_TLS_SERVER_CA_CERT_PATH: files.ca });

interface Case {
  what: string;
  env: () => Record<string, string>;
  code: string;
  says: RegExp;
}

const cases: Case[] = [
  {
    what: 'a certificate of an unknown CA',
    env: () => ({ TEMPORAL_ADDRESS: localhost(withTls), TEMPORAL_TLS: 'true' }),
    code: 'temporal.failed',
    says: /cannot be used: its certificate is from a CA that is not known here .*TEMPORAL_TLS_SERVER_CA_CERT_PATH/,
  },
  {
    what: 'a certificate of another CA',
    env: () => ({
      TEMPORAL_ADDRESS: localhost(withTls),
      TEMPORAL_TLS: 'true',
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: files.otherCa,
    }),
    code: 'temporal.failed',
    says: /its certificate .*not known here/,
  },
  {
    what: 'a certificate for another name',
    env: () => ({
      ...trusted(),
      TEMPORAL_ADDRESS: localhost(withTls),
      TEMPORAL_TLS_SERVER_NAME: 'temporal.example',
    }),
    code: 'temporal.failed',
    says: /its certificate is for another name .*TEMPORAL_TLS_SERVER_NAME/,
  },
  {
    what: 'TLS that is off here',
    env: () => ({ TEMPORAL_ADDRESS: localhost(withTls) }),
    code: 'temporal.failed',
    says: /it wants TLS, which is off here .*TEMPORAL_TLS/,
  },
  {
    what: 'TLS that is off there',
    env: () => ({ TEMPORAL_ADDRESS: temporalAddress(), TEMPORAL_TLS: 'true' }),
    code: 'temporal.failed',
    says: /it does not speak TLS .*TEMPORAL_TLS/,
  },
  {
    what: 'no client certificate',
    env: () => ({ ...trusted(), TEMPORAL_ADDRESS: localhost(withClientTls) }),
    code: 'temporal.failed',
    says: /it wants a client certificate.*TEMPORAL_TLS_CLIENT_CERT_PATH/,
  },
  {
    what: 'a name that nobody has',
    env: () => ({ TEMPORAL_ADDRESS: 'temporal.invalid:7233' }),
    code: 'temporal.unreachable',
    says: /No Temporal server answers at temporal\.invalid:7233: its name cannot be resolved/,
  },
  {
    what: 'a port where nothing listens',
    env: () => ({ TEMPORAL_ADDRESS: '127.0.0.1:1' }),
    code: 'temporal.unreachable',
    says: /127\.0\.0\.1:1: nothing listens there \(ECONNREFUSED\).*agent-once dev/,
  },
  {
    what: 'a proxy where nothing listens',
    env: () => ({ TEMPORAL_ADDRESS: 'temporal.example:7233', HTTPS_PROXY: 'http://127.0.0.1:1' }),
    code: 'temporal.unreachable',
    says: /at temporal\.example:7233 through the proxy of HTTPS_PROXY, 127\.0\.0\.1:1: nothing listens there \(ECONNREFUSED\)/,
  },
  {
    what: 'a proxy that wants other credentials',
    env: () => ({
      TEMPORAL_ADDRESS: 'temporal.example:7233',
      HTTPS_PROXY: `http://ann:secret-key@${refusing(407)}`,
    }),
    code: 'temporal.unreachable',
    says: /through the proxy .*: it wants a user and a password, or others \(407\)\. Correct those in HTTPS_PROXY/,
  },
  {
    what: 'a proxy that does not let it through',
    env: () => ({
      TEMPORAL_ADDRESS: 'temporal.example:7233',
      HTTPS_PROXY: `http://${refusing(403)}`,
    }),
    code: 'temporal.unreachable',
    says: /through the proxy .*: it makes no connection to the server \(403\).*NO_PROXY/,
  },
  {
    what: 'a file of a CA that is not there',
    env: () => ({ ...trusted(), TEMPORAL_TLS_SERVER_CA_CERT_PATH: files.missing }),
    code: 'config.invalid',
    says: /file of TEMPORAL_TLS_SERVER_CA_CERT_PATH, .*missing\.pem, cannot be read \(ENOENT\)/,
  },
  {
    what: 'a file of a CA that holds something else',
    env: () => ({ ...trusted(), TEMPORAL_TLS_SERVER_CA_CERT_PATH: files.garbage }),
    code: 'config.invalid',
    says: /TEMPORAL_TLS_SERVER_CA_CERT_… holds no certificate/,
  },
  {
    what: 'a client certificate without its key',
    env: () => ({ ...trusted(), TEMPORAL_TLS_CLIENT_CERT_PATH: files.client.cert }),
    code: 'config.invalid',
    says: /go together, and one is missing/,
  },
  {
    what: 'a key that is in the place of its path',
    env: () => ({
      ...trusted(),
      TEMPORAL_TLS_CLIENT_KEY_PATH: '-----BEGIN PRIVATE KEY-----\nsecret-key\n',
    }),
    code: 'config.invalid',
    says: /file of TEMPORAL_TLS_CLIENT_KEY_PATH cannot be read/,
  },
  {
    what: 'an API key with a line break',
    env: () => ({
      ...trusted(),
      TEMPORAL_ADDRESS: localhost(withTls),
      TEMPORAL_API_KEY: 'secret-key\nand-more',
    }),
    code: 'config.invalid',
    says: /TEMPORAL_API_KEY .*has a character that no header can hold/,
  },
  {
    what: 'a file of settings with a mistake',
    env: () => ({ TEMPORAL_CONFIG_FILE: settings }),
    code: 'config.invalid',
    says: /configuration cannot be read/,
  },
];

/** @param status with which a proxy answers */
const refusing = (status: 403 | 407): string => proxies[status];

const clients = [
  ['a client', (connectTimeoutMs = 5_000) => connect({ connectTimeoutMs })],
  ['a worker', () => connectWorker()],
] as const;

describe.each(clients)('%s', (_who, open) => {
  test('reaches a server with TLS whose CA it is told', async () => {
    Object.assign(process.env, trusted(), { TEMPORAL_ADDRESS: localhost(withTls) });
    const opened = await open();
    await ('connection' in opened ? opened.connection.close() : opened.close());
  });

  test('reaches a server that wants a client certificate', async () => {
    Object.assign(process.env, trusted(), {
      TEMPORAL_ADDRESS: localhost(withClientTls),
      TEMPORAL_TLS_CLIENT_CERT_PATH: files.client.cert,
      TEMPORAL_TLS_CLIENT_KEY_PATH: files.client.key,
    });
    const opened = await open();
    await ('connection' in opened ? opened.connection.close() : opened.close());
  });

  test.each(cases)('says what was seen: $what', async ({ env, code, says }) => {
    Object.assign(process.env, env());
    const failed = await failureOf(open(300));
    expect(failed).toMatchObject({ code, message: expect.stringMatching(says) });
    expect(failed.message).not.toMatch(/secret-key|and-more/);
  });

  test.each([
    ['credentials', 16, 'temporal.failed', /refused these credentials .*TEMPORAL_API_KEY/],
    ['rights', 7, 'temporal.failed', /refused these credentials .*TEMPORAL_API_KEY/],
    ['a limit', 8, 'temporal.limited', /limits the requests .*\(said by the server\)/],
  ] as const)('says that the server refuses %s', async (_what, status, code, says) => {
    const server = await answering(status);
    Object.assign(process.env, trusted(), {
      TEMPORAL_ADDRESS: localhost(server),
      TEMPORAL_API_KEY: 'secret-key',
    });
    const failed = await failureOf(open());
    expect(failed).toMatchObject({ code, message: expect.stringMatching(says) });
    expect(failed.message).not.toContain('secret-key');
  });
});

test('a client says that a server did not answer in time', async () => {
  process.env['TEMPORAL_ADDRESS'] = silent;
  const failed = await failureOf(connect({ connectTimeoutMs: 500 }));
  expect(failed.message).toMatch(/it did not answer in time \(ETIMEDOUT\)/);
});

async function failureOf(opening: Promise<unknown>): Promise<Error> {
  const failed: unknown = await opening.then(
    () => new Error('It was opened.'),
    (error: unknown) => error,
  );
  return failed as Error;
}

/** A gRPC server with TLS that answers everything with one status. */
async function answering(status: number): Promise<string> {
  const server = http2.createSecureServer(await serverTls(files));
  server.on('stream', (stream) => {
    const headers = { 'grpc-status': String(status), 'grpc-message': 'said by the server' };
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', ...headers },
      { endStream: true },
    );
  });
  return listen(server as unknown as net.Server);
}

function toTemporal(socket: tls.TLSSocket): void {
  const [host, port] = temporalAddress().split(':');
  const upstream = net.connect(Number(port), host);
  sockets.add(upstream);
  for (const each of [socket, upstream]) {
    each.on('error', () => each.destroy());
    each.on('close', () => {
      socket.destroy();
      upstream.destroy();
    });
  }
  socket.pipe(upstream).pipe(socket);
}

function refusingProxy(status: number): Promise<string> {
  const proxy = http.createServer();
  proxy.on('connect', (_request, socket: net.Socket) => {
    socket.on('error', () => {}).end(`HTTP/1.1 ${status} Refused\r\n\r\n`);
  });
  return listen(proxy);
}

async function listen(server: net.Server): Promise<string> {
  servers.push(server);
  server.on('connection', (socket: net.Socket) => sockets.add(socket));
  server.on('tlsClientError', () => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}
