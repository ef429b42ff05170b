import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findFreePort } from '../../../dev/ports.ts';
import { makeCertificates, type Certificates } from '../../../../../test/support/certificates.ts';
import { runCommand, type CliResult } from '../../../../../test/support/cli.ts';
import { startRedis, type RedisServer } from '../../../../../test/support/redis-server.ts';

let files: Certificates;
let server: RedisServer;
let strict: RedisServer;
/** Ports that speak TLS alone; the second wants a client's certificate. */
let tlsPort: number;
let strictPort: number;

beforeAll(async () => {
  files = await makeCertificates();
  [tlsPort, strictPort] = [await findFreePort(), await findFreePort()];
  server = await startRedis(withTls(tlsPort, 'no'));
  strict = await startRedis(withTls(strictPort, 'yes'));
});
afterAll(async () => {
  await (server as RedisServer | undefined)?.stop();
  await (strict as RedisServer | undefined)?.stop();
  await (files as Certificates | undefined)?.remove();
});

const withTls = (port: number, clients: 'yes' | 'no') => ({
  bind: '127.0.0.1 127.0.0.2',
  'tls-port': String(port),
  'tls-cert-file': files.server.cert,
  'tls-key-file': files.server.key,
  'tls-ca-cert-file': files.ca,
  'tls-auth-clients': clients,
});

/** Node reads the file of a CA when a process starts. */
const show = (url: string, ca?: string): Promise<CliResult> =>
  runCommand(['ledger', 'show'], {
    LEDGER_URL: url,
    ...(ca === undefined ? {} : { NODE_EXTRA_CA_CERTS: ca }),
  });

describe('a Redis with TLS', () => {
  test.each(['localhost', '127.0.0.1'])(
    'is a ledger at %s, with the CA that is named',
    async (host) => {
      const { code, stdout, stderr } = await show(`rediss://${host}:${tlsPort}/0`, files.ca);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/^ledger +[0-9a-f-]{36}\nholds +0 steps\n/);
    },
  );

  test.each<[string, () => [url: string, ca?: string], RegExp]>([
    [
      'whose CA nobody has named',
      () => [`rediss://127.0.0.1:${tlsPort}/0`],
      /from a CA that is not known here.*NODE_EXTRA_CA_CERTS/,
    ],
    [
      'whose CA is another one',
      () => [`rediss://127.0.0.1:${tlsPort}/0`, files.otherCa],
      /from a CA that is not known here.*NODE_EXTRA_CA_CERTS/,
    ],
    [
      'whose certificate is for another name',
      () => [`rediss://127.0.0.2:${tlsPort}/0`, files.ca],
      /for another name.*correct the host/,
    ],
    [
      "that wants a client's certificate",
      () => [`rediss://127.0.0.1:${strictPort}/0`, files.ca],
      /wants a client certificate.*tls-auth-clients/,
    ],
    [
      'that is asked without TLS',
      () => [`redis://127.0.0.1:${tlsPort}/0`, files.ca],
      /does not answer.*does it want TLS, which is rediss:\/\//,
    ],
    [
      'whose port has no TLS',
      () => [`rediss://${server.address}/0`, files.ca],
      /does not answer.*is it without TLS, which is redis:\/\//,
    ],
  ])('%s: the message says so, and what to do', async (_what, connection, says) => {
    const { code, stdout, stderr } = await show(...connection());
    expect(stderr).toMatch(says);
    expect([code, stdout]).toEqual([6, '']);
  });
});
