import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnNode, waitUntil } from '../../../dev/test/processes.ts';
import { runBin } from '../../../../../test/support/cli.ts';
import {
  createTestDatabase,
  queryOnce,
  type TestDatabase,
} from '../../../../../test/support/database.ts';
import { temporalAddress } from '../../../../../test/support/servers.ts';

/** Nobody listens there: a mistake that is found too late ends with exit code 6. */
const NOWHERE = {
  TEMPORAL_ADDRESS: '127.0.0.1:1',
  LEDGER_URL: 'postgres://postgres@127.0.0.1:1/none',
};

let database: TestDatabase;
let env: Record<string, string>;

beforeAll(async () => {
  database = await createTestDatabase();
  env = { TEMPORAL_ADDRESS: temporalAddress(), LEDGER_URL: database.url };
});
afterAll(() => database.drop());

const apiKeys = (...args: string[]) => runBin(['api-keys', ...args], env);

/** Makes a key by the command. */
async function createKey(...args: string[]): Promise<{ key: string; prefix: string }> {
  const { code, stdout, stderr } = await apiKeys('create', ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('not shown again') });
  const [key = '', prefix = ''] = /^(ao_[A-Za-z0-9]{12})_[\w-]{43}\n$/.exec(stdout) ?? [];
  expect(prefix).not.toBe('');
  return { key: key.trim(), prefix };
}

describe('api-keys', () => {
  test('create shows a key once; nothing else ever does', async () => {
    const { key, prefix } = await createKey('acme', '--scope', 'start', 'read', '--name', 'shop');
    const secret = key.slice(prefix.length + 1);
    const listed = await apiKeys('list', '--tenant', 'acme');
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    expect(listed.stdout).toMatch(new RegExp(`^${prefix} +acme +start,read +\\S+Z +shop\n$`));
    const json = await apiKeys('list', '--json');
    expect(JSON.parse(json.stdout)).toContainEqual({
      prefix,
      tenant: 'acme',
      scopes: ['start', 'read'],
      name: 'shop',
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      revokedAt: null,
    });
    const stored = await queryOnce(
      database.url,
      'SELECT k::text AS row FROM agent_once.api_keys k',
    );
    expect(JSON.stringify(stored)).toContain(prefix);
    for (const text of [listed.stdout, json.stdout, JSON.stringify(stored)]) {
      expect(text).not.toContain(secret);
    }
  });

  test('create --json is one document; without scopes a key starts and reads', async () => {
    const { code, stdout } = await apiKeys('create', 'default', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      key: expect.stringMatching(/^ao_/),
      tenant: 'default',
      scopes: ['start', 'read'],
    });
  });

  test('list knows tenants apart, and says so where there is none', async () => {
    const { prefix } = await createKey('apart');
    expect((await apiKeys('list', '--tenant', 'apart')).stdout).toContain(prefix);
    expect((await apiKeys('list', '--tenant', 'others')).stdout).not.toContain(prefix);
    expect(await apiKeys('list', '--tenant', 'nobody')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'There is no key yet.\n',
    });
  });

  test('revoke ends a key, and can be repeated', async () => {
    const { prefix } = await createKey('gone');
    for (const _ of [1, 2]) {
      expect(await apiKeys('revoke', prefix)).toMatchObject({
        code: 0,
        stderr: `Key ${prefix} is revoked.\n`,
      });
    }
    expect((await apiKeys('list', '--tenant', 'gone')).stdout).toMatch(/ {2}revoked \S+Z\n$/);
  });

  test.each<[string[], RegExp]>([
    [['revoke', 'ao_000000000000'], /no key ao_000000000000.*api-keys list/],
    [['create', 'a-b'], /tenant name/],
    [['create'], /missing required argument 'tenant'/],
    [['create', 'acme', '--scope', 'write'], /one of start, read, decide, admin/],
    [['create', 'acme', '--scope'], /argument missing/],
  ])('%j is refused with exit code 2', async (args, says) => {
    const { code, stdout, stderr } = await apiKeys(...args);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(says),
    });
  });

  test('a database that is not there, or that keeps no keys, is told', async () => {
    const away = await runBin(['api-keys', 'list'], NOWHERE);
    expect(away.code).toBe(6);
    expect(away.stderr).toContain('ledger.unreachable');
    const redis = await runBin(['api-keys', 'list'], { LEDGER_URL: 'redis://127.0.0.1:1/0' });
    expect(redis.code).toBe(2);
    expect(redis.stderr).toMatch(/PostgreSQL.*config\.invalid/);
  });
});

describe('serve', () => {
  test.each<[string, string[], RegExp]>([
    ['a port that is none', ['--port', 'abc'], /number from 0 to 65535/],
    ['a port beyond the last', ['--port', '65536'], /number from 0 to 65535/],
    ['a negative port', ['--port=-1'], /number from 0 to 65535/],
    ['open to the network', ['--open', '--host', '0.0.0.0'], /not on 0\.0\.0\.0.*api-keys create/],
    ['an unknown option', ['--prot', '80'], /unknown option '--prot'.*Did you mean --port/s],
  ])('%s is refused before anything is reached', async (_, args, says) => {
    const { code, stdout, stderr } = await runBin(['serve', ...args], NOWHERE);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(says),
    });
  });

  test('a port in use ends it with the flag to change', async () => {
    const holder = createServer();
    const port = await new Promise<number>((resolve) =>
      holder.listen(0, '127.0.0.1', () => {
        const address = holder.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      }),
    );
    try {
      const { code, stderr } = await runBin(['serve', '--open', '--port', String(port)], env);
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: expect.stringMatching(new RegExp(`${port}.*--port.*port\\.in_use`)),
      });
    } finally {
      holder.close();
    }
  });

  test('a Temporal that is not there is told', async () => {
    const { code, stderr } = await runBin(['serve', '--open', '--port', '0'], NOWHERE);
    expect(code).toBe(6);
    expect(stderr).toContain('temporal.unreachable');
  });

  test('keys that were made open it, until they are revoked; SIGTERM ends it', async () => {
    const { key, prefix } = await createKey('acme');
    const service = spawnNode(['bin/agent-once.js', 'serve', '--port', '0'], {
      PATH: process.env['PATH'],
      ...env,
    });
    try {
      const ready = () => /The service is ready: (http:\S+\d)/.exec(service.stderr())?.[1];
      await waitUntil('the service is ready', () => ready() !== undefined);
      const list = async (headers: Record<string, string>) =>
        (await fetch(`${ready()}/v1/runs`, { headers })).status;
      expect(await list({})).toBe(401);
      expect(await list({ authorization: `Bearer ${key}` })).toBe(200);
      expect(await list({ authorization: `Bearer ${key.slice(0, -1)}!` })).toBe(401);
      await apiKeys('revoke', prefix);
      expect(await list({ authorization: `Bearer ${key}` })).toBe(401);
      expect(service.stderr()).not.toContain('--open');
    } finally {
      service.process.kill('SIGTERM');
    }
    expect(await service.ended).toBe(0);
  });
});

test('the help of the command knows it', async () => {
  const { stdout } = await runBin(['--help']);
  expect(stdout).toContain('agent-once serve --open');
  expect(stdout).toMatch(/^ +api-keys /m);
  expect((await runBin(['serve', '--help'])).stdout).toMatch(/--host[\s\S]*Examples:/);
});
