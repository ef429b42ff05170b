import { createHash, randomUUID } from 'node:crypto';
import fastify, { type FastifyInstance } from 'fastify';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { app as composed } from '../../../app/compose.ts';
import { registerLedgers } from '../../../ledger/open-ledger.ts';
import { sealing } from '../../../ledger/payload.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { testWith } from '../../../../test/support/extras.ts';
import { find, textOf } from '../../../../test/support/search-text.ts';
import { installIdempotency } from '../install.ts';
import { addIdempotency, type IdempotencyOptions } from '../plugin.ts';

const KEYS = 'AGENT_ONCE_ENCRYPTION_KEYS';
const SECRETS = ['planted-request', 'planted-answer', 'planted-header'];
/** Begins as encrypted bytes do. */
const BYTES = Buffer.from([0xae, 0x01, 0x00, 0xff]);
const { extras } = composed;
const ofProcess = sealing.sealer;

let database: TestDatabase;
let pool: pg.Pool;
let runs = 0;
const servers: FastifyInstance[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 4 });
  pool.on('error', () => {});
  await installIdempotency(pool);
});
afterEach(async () => {
  delete process.env[KEYS];
  sealing.sealer = ofProcess;
  await Promise.all(servers.splice(0).map((each) => each.close()));
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** An entry of the setting, the same for the same seed. */
function keyOf(id: string, seed = id): string {
  return `${id}:${createHash('sha256').update(seed).digest('base64')}`;
}

/** A service whose process has these keys of encryption. */
async function serve(
  keys: string[],
  options: Partial<IdempotencyOptions> = { extras },
): Promise<string> {
  process.env[KEYS] = keys.join(',');
  if (keys.length === 0) delete process.env[KEYS];
  const server = fastify();
  servers.push(server);
  addIdempotency(server, { pool, ...options });
  server.post('/pay', { config: { idempotent: true } }, (_request, reply) => {
    runs++;
    return reply.code(201).header('location', '/paid/planted-header').send({ paid: SECRETS[1] });
  });
  server.post('/picture', { config: { idempotent: true } }, (_request, reply) => {
    runs++;
    return reply.type('image/png').send(BYTES);
  });
  return server.listen({ host: '127.0.0.1', port: 0 });
}

interface Answer {
  status: number;
  replayed: boolean;
  location: string | null;
  body: Buffer;
}

async function post(url: string, key: string, path = '/pay'): Promise<Answer> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({ what: SECRETS[0] }),
  });
  return {
    status: response.status,
    replayed: response.headers.get('idempotent-replayed') === 'true',
    location: response.headers.get('location'),
    body: Buffer.from(await response.arrayBuffer()),
  };
}

/** All that the database has of a key, as text that is searched. */
async function rowOf(key: string): Promise<string> {
  const sql = 'SELECT * FROM agent_once_idempotency.requests WHERE key = $1';
  const { rows } = await pool.query(sql, [key]);
  expect(rows).toHaveLength(1);
  return textOf(rows);
}

testWith('encryption')(
  'with keys no part of an answer is in the table, without them it is; either is answered again',
  async () => {
    const [sealed, plain] = [randomUUID(), randomUUID()];
    const withKeys = await serve([keyOf('2026-11')]);
    const first = await post(withKeys, sealed);
    expect(find(SECRETS, { row: await rowOf(sealed) })).toEqual({
      'planted-request': [],
      'planted-answer': [],
      'planted-header': [],
    });
    expect(await post(withKeys, sealed)).toEqual({ ...first, replayed: true });
    expect(first).toMatchObject({ status: 201, location: '/paid/planted-header' });

    const withoutKeys = await serve([]);
    const inPlain = await post(withoutKeys, plain);
    expect(find(SECRETS, { row: await rowOf(plain) })).toEqual({
      // The request itself is in no row, only its hash.
      'planted-request': [],
      'planted-answer': ['row'],
      'planted-header': ['row'],
    });
    // What was stored before there were keys stays readable.
    process.env[KEYS] = keyOf('2026-11');
    expect(await post(withKeys, plain)).toEqual({ ...inPlain, replayed: true });
  },
);

testWith('encryption').each([true, false])(
  'bytes that begin as encrypted ones do are the same again (with keys: %s)',
  async (keys) => {
    const url = await serve(keys ? [keyOf('a')] : []);
    const key = randomUUID();
    expect(await post(url, key, '/picture')).toMatchObject({ replayed: false, body: BYTES });
    process.env[KEYS] = keyOf('a');
    expect(await post(url, key, '/picture')).toMatchObject({ replayed: true, body: BYTES });
  },
);

testWith('encryption')(
  'after a rotation the answers of the old key are given again; without it 503, and nothing is done twice',
  async () => {
    const key = randomUUID();
    const url = await serve([keyOf('old')]);
    const first = await post(url, key);
    process.env[KEYS] = `${keyOf('new')},${keyOf('old')}`;
    expect(await post(url, key)).toEqual({ ...first, replayed: true });

    const before = runs;
    for (const keys of [keyOf('new'), keyOf('old', 'another')]) {
      process.env[KEYS] = keys;
      const refused = await post(url, key);
      expect(refused).toMatchObject({ status: 503, replayed: false });
      expect(refused.body.toString()).toContain('Nothing was lost');
      expect(refused.body.toString()).not.toContain('planted');
    }
    process.env[KEYS] = keyOf('old');
    expect(await post(url, key)).toEqual({ ...first, replayed: true });
    expect(runs).toBe(before);
  },
);

test('keys that nothing here would use are refused, before a route is added', async () => {
  const refused = expect.objectContaining({
    code: 'config.invalid',
    message: expect.stringMatching(/answers would be stored in plain.*extras: app\.extras/),
  });
  // As in a process that runs no command.
  const same = <T>(value: T): T => value;
  sealing.sealer = () => ({ seal: same, open: same, sealText: same, openText: same });
  await expect(serve([keyOf('a')], {})).rejects.toEqual(refused);
  await expect(serve([keyOf('a')], { extras: [] })).rejects.toEqual(refused);
  // Keys that encrypt nothing yet.
  await serve(['plain', keyOf('a')], {});
});

testWith('encryption')('in a process of the command its extras encrypt', async () => {
  registerLedgers(extras);
  const url = await serve([keyOf('a')], {});
  const key = randomUUID();
  await post(url, key);
  expect(find(SECRETS, { row: await rowOf(key) })['planted-answer']).toEqual([]);
});

testWith('encryption')(
  'a table of an older version works without keys; with keys it is told to be brought up to date',
  async () => {
    await pool.query('ALTER TABLE agent_once_idempotency.requests DROP COLUMN sealed');
    const key = randomUUID();
    const url = await serve([]);
    await post(url, key);
    expect(await post(url, key)).toMatchObject({ status: 201, replayed: true });
    process.env[KEYS] = keyOf('a');
    const refused = await post(url, randomUUID());
    expect([refused.status, refused.body.toString()]).toEqual([
      500,
      expect.stringContaining('Run installIdempotency on this database'),
    ]);
    await installIdempotency(pool);
    expect(await post(url, randomUUID())).toMatchObject({ status: 201, replayed: false });
  },
);
