import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fastify, { type FastifyInstance } from 'fastify';
import pg from 'pg';
import { installIdempotency } from '../install.ts';
import { addIdempotency } from '../plugin.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { eventually } from '../../../../test/support/eventually.ts';

/** A shop of the Agentic Commerce Protocol (2026-04-17, section 6), whose routes the plugin guards. */
let app: FastifyInstance;
let pool: pg.Pool;
let database: TestDatabase;
let url: string;
let made = 0;
let troubles = 0;
/** Holds the handler of a request back until it is called. */
let letGo = (): void => {};

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 10 });
  pool.on('error', () => {});
  await installIdempotency(pool);
  app = fastify();
  addIdempotency(app, {
    pool,
    required: true,
    waitMs: 0,
    tenantOf: ({ headers }) => String(headers['authorization']),
  });
  for (const path of ['/checkout_sessions', '/checkout_sessions/cs_1']) {
    app.post(path, { config: { idempotent: true } }, async (request, reply) => {
      const { hold } = request.body as { hold?: true };
      if (hold) await new Promise<void>((resolve) => (letGo = resolve));
      if (troubles > 0) {
        troubles -= 1;
        return reply.code(503).send({ type: 'service_unavailable' });
      }
      made += 1;
      return reply.code(201).send({ id: `cs_${made}` });
    });
  }
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await app.close();
  await pool.end();
  await database.drop();
});

async function post(key: string | undefined, body: string, path = '/checkout_sessions', who = 'a') {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: who,
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    body,
  });
  const { headers, status } = response;
  return {
    status,
    body: (await response.json()) as { id?: string; code?: string },
    replayed: headers.get('idempotent-replayed'),
    retryAfter: headers.get('retry-after'),
  };
}

test('without the header: 400; a key of 256 characters: 400', async () => {
  expect(await post(undefined, '{}')).toMatchObject({
    status: 400,
    body: { code: 'http.key_missing' },
  });
  expect(await post('k'.repeat(256), '{}')).toMatchObject({ status: 400 });
  expect(await post('k'.repeat(255), '{}')).toMatchObject({ status: 201 });
});

test('while the first is worked on: 409 with Retry-After', async () => {
  const key = randomUUID();
  letGo = () => {};
  const waiting = letGo;
  const first = post(key, '{"hold":true}');
  await eventually(() => {
    if (letGo === waiting) throw new Error('It is not worked on yet');
  });
  expect(await post(key, '{"hold":true}')).toMatchObject({
    status: 409,
    body: { code: 'http.duplicate_in_progress' },
    retryAfter: expect.stringMatching(/^\d+$/),
  });
  letGo();
  const { status, body } = await first;
  expect(await post(key, '{"hold":true}')).toMatchObject({ status, body, replayed: 'true' });
});

test('the same request: the answer and status of the first, with Idempotent-Replayed', async () => {
  const key = randomUUID();
  const first = await post(key, '{"a":1,"b":[1,2]}');
  expect(first).toMatchObject({ status: 201, replayed: null });
  const before = made;
  for (const same of ['{"a":1,"b":[1,2]}', '{"b":[1,2],"a":1}', '{ "a": 1.0, "b": [1,2] }']) {
    expect(await post(key, same)).toEqual({ ...first, replayed: 'true' });
  }
  for (const other of ['{"a":1,"b":[2,1]}', '{"a":1,"b":[1,2],"c":null}', '{}']) {
    expect(await post(key, other)).toMatchObject({ status: 422, body: { code: 'key.conflict' } });
  }
  expect(made).toBe(before);
});

test('keys are those of an identity and an endpoint', async () => {
  const key = randomUUID();
  const ids = [
    await post(key, '{}'),
    await post(key, '{}', '/checkout_sessions/cs_1'),
    await post(key, '{}', '/checkout_sessions', 'b'),
  ].map(({ body }) => body.id);
  expect(new Set(ids).size).toBe(3);
});

test('an answer of 5xx is not kept: the next request is a fresh one', async () => {
  const key = randomUUID();
  troubles = 1;
  expect(await post(key, '{}')).toMatchObject({ status: 503, replayed: null });
  expect(await post(key, '{}')).toMatchObject({ status: 201, replayed: null });
});
