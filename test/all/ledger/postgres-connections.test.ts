import { once } from 'node:events';
import {
  chmod,
  copyFile,
  chown,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startPostgres, type PostgresServer } from '../../../src/extras/dev/postgres-server.ts';
import { openLedger } from '../../../src/ledger/open-ledger.ts';
import { makeCertificates, type Certificates } from '../../support/certificates.ts';
import { runCommand } from '../../support/cli.ts';
import { testWith } from '../../support/extras.ts';
import { queryOnce } from '../../support/database.ts';
import { claimed, stepClaim } from '../../ledger/steps.ts';

const PASSWORD = 'p/w:with@all?of#them%';
const ENCODED = encodeURIComponent(PASSWORD);

let folder: string;
let server: PostgresServer;
let files: Certificates;
/** `localhost:5432` */
let address: string;

beforeAll(async () => {
  files = await makeCertificates();
  folder = await mkdtemp(path.join(os.tmpdir(), 'ledger-connections-'));
  await chmod(folder, 0o755);
  const dataDir = path.join(folder, 'postgres');
  server = await startPostgres({ dataDir, durable: false });
  address = `localhost:${new URL(server.url).port}`;
  // The data of a server of root are somewhere else.
  const [found] = await queryOnce(server.url, 'SHOW data_directory');
  const data = String((found as { data_directory: string }).data_directory);
  const { uid, gid } = await stat(data);
  for (const file of [files.server.cert, files.server.key, files.ca]) {
    const copy = path.join(data, path.basename(file));
    await copyFile(file, copy);
    await chown(copy, uid, gid);
    await chmod(copy, 0o600);
  }
  await writeFile(
    path.join(data, 'pg_hba.conf'),
    [
      'host all postgres all scram-sha-256',
      'hostssl all tls all scram-sha-256',
      'hostssl all certificate all scram-sha-256 clientcert=verify-ca',
      'host agent_once one all scram-sha-256',
    ].join('\n'),
  );
  for (const name of ['tls', 'certificate', 'one']) {
    await queryOnce(server.url, `CREATE ROLE ${name} LOGIN SUPERUSER PASSWORD '${PASSWORD}'`);
  }
  for (const sql of [
    "ALTER SYSTEM SET ssl_cert_file = 'server.pem'",
    "ALTER SYSTEM SET ssl_key_file = 'server.key'",
    "ALTER SYSTEM SET ssl_ca_file = 'ca.pem'",
    'ALTER SYSTEM SET ssl = on',
    'SELECT pg_reload_conf()',
  ]) {
    await queryOnce(server.url, sql);
  }
});
afterAll(async () => {
  await (server as PostgresServer | undefined)?.stop();
  await (files as Certificates | undefined)?.remove();
  await rm(folder, { recursive: true, force: true });
});

const url = (user: string, query = '', password = ENCODED) =>
  `postgres://${user}:${password}@${address}/agent_once${query}`;

describe('a PostgreSQL with TLS', () => {
  test('is a ledger, with the CA that the URL names', async () => {
    await expectLedger(url('tls', `?sslmode=verify-full&sslrootcert=${files.ca}`));
    // As a provider gives it that changes its CA: the old one and the new one.
    const both = path.join(folder, 'both.pem');
    const cas = [files.otherCa, files.ca].map((file) => readFile(file, 'utf8'));
    await writeFile(both, (await Promise.all(cas)).join(''));
    await expectLedger(url('tls', `?sslmode=verify-full&sslrootcert=${both}`));
  });

  testWith('maintenance').each(['prefer', 'require', 'verify-ca'])(
    'sslmode=%s checks the certificate as verify-full does, and no command warns of it',
    async (mode) => {
      const show = (ca: string) =>
        runCommand(['ledger', 'show'], {
          LEDGER_URL: url('tls', `?sslmode=${mode}&sslrootcert=${ca}`),
        });
      expect(await show(files.ca)).toMatchObject({ code: 0, stderr: '' });
      const refused = await show(files.otherCa);
      expect(refused.code).toBe(6);
      expect(refused.stderr).toMatch(/^error .*certificate.*\n$/);
    },
  );

  test('is a ledger for a client with a certificate', async () => {
    const { cert, key } = files.client;
    await expectLedger(
      url(
        'certificate',
        `?sslmode=verify-full&sslrootcert=${files.ca}&sslcert=${cert}&sslkey=${key}`,
      ),
    );
  });

  test('is a ledger without a check of its certificate, where the URL says so', async () => {
    await expectLedger(url('tls', '?sslmode=no-verify'));
  });

  test.each([
    [
      'no TLS',
      () => url('tls'),
      /takes no connection without TLS.*sslmode=verify-full.*sslrootcert/,
    ],
    [
      'a CA that it does not know',
      () => url('tls', '?sslmode=verify-full'),
      /its certificate is from a CA that is not known here.*sslrootcert/,
    ],
    [
      'another CA',
      () => url('tls', `?sslmode=verify-full&sslrootcert=${files.otherCa}`),
      /its certificate .*not known here/,
    ],
    [
      'a file of a CA that is not there',
      () => url('tls', `?sslmode=verify-full&sslrootcert=${files.missing}`),
      /the file of sslrootcert in LEDGER_URL, .*missing\.pem, cannot be read \(ENOENT\)/,
    ],
    [
      'a file of a CA that holds something else',
      () => url('tls', `?sslmode=verify-full&sslrootcert=${files.garbage}`),
      /holds no certificate or key in PEM/,
    ],
    [
      'no client certificate',
      () => url('certificate', `?sslmode=verify-full&sslrootcert=${files.ca}`),
      /client certificate.*sslcert/,
    ],
    [
      'a wrong password',
      () => url('tls', '?sslmode=no-verify', 'wrong-password'),
      /does not accept the user or the password/,
    ],
    ['a user that it does not know', () => url('nobody'), /pg_hba\.conf has no entry/],
    [
      'a database that is not there',
      () => url('postgres', '', 'postgres').replace('agent_once', 'nowhere'),
      /there is no such database/,
    ],
  ] as const)('says what was seen: %s', async (_what, make, says) => {
    const failed = await failureOf(make());
    expect(failed).toMatchObject({
      code: 'ledger.invalid',
      message: expect.stringMatching(says),
    });
    expect(inspect(failed, { depth: 10, showHidden: true })).not.toMatch(/wrong-password|with@all/);
  });

  test('says that it has no connection left', async () => {
    await queryOnce(server.url, 'ALTER ROLE one NOSUPERUSER CONNECTION LIMIT 0');
    expect(await failureOf(url('one'))).toMatchObject({
      code: 'ledger.unreachable',
      message: expect.stringMatching(/no connection left.*number of workers/),
    });
  });
});

test('a PostgreSQL behind a socket is a ledger, in the forms that psql takes', async () => {
  const sockets = await mkdtemp(path.join(os.tmpdir(), 'agent-once-socket-'));
  const instance = path.join(sockets, 'project:region:instance');
  await mkdir(instance);
  const [, port] = address.split(':');
  const open: net.Socket[] = [];
  const proxy = net.createServer((socket) => {
    const upstream = net.connect(Number(port), '127.0.0.1');
    for (const each of [socket, upstream]) {
      open.push(each);
      each.on('error', () => each.destroy());
    }
    socket.pipe(upstream).pipe(socket);
  });
  proxy.listen(path.join(instance, '.s.PGSQL.5432'));
  await once(proxy, 'listening');
  try {
    const folder = encodeURIComponent(instance);
    for (const each of [
      `postgres://postgres:postgres@/agent_once?host=${instance}`,
      `postgres://postgres:postgres@/agent_once?host=${folder}&sslmode=require`,
      `postgres://postgres:postgres@${folder}/agent_once`,
      `postgres:///agent_once?host=${folder}&user=postgres&password=postgres`,
    ]) {
      await expectLedger(each);
    }
    const failed = await failureOf(`postgres://postgres:wrong@/agent_once?host=${sockets}`);
    expect(failed).toMatchObject({
      code: 'ledger.unreachable',
      message: expect.stringContaining(`at ${sockets}/agent_once does not answer (ENOENT)`),
    });
  } finally {
    for (const socket of open) socket.destroy();
    proxy.close();
    await rm(sockets, { recursive: true, force: true });
  }
});

async function expectLedger(ledgerUrl: string): Promise<void> {
  const ledger = await openLedger(ledgerUrl);
  try {
    expect(await claimed(ledger, stepClaim())).toMatchObject({ fence: '1' });
  } finally {
    await ledger.close();
  }
}

async function failureOf(ledgerUrl: string): Promise<unknown> {
  return openLedger(ledgerUrl).then(
    async (ledger) => {
      await ledger.close();
      return new Error('It was opened.');
    },
    (error: unknown) => error,
  );
}
