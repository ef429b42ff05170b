import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import pg from 'pg';
import { installIdempotency, removeExpired } from '../install.ts';
import { addIdempotency, type IdempotencyOptions } from '../plugin.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { eventually } from '../../../../test/support/eventually.ts';

let database: TestDatabase;
let pool: pg.Pool;
const apps: FastifyInstance[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 10 });
  pool.on('error', () => {});
  // Two at once: both must come up.
  await Promise.all([installIdempotency(pool), installIdempotency(pool)]);
  await pool.query('CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY, what text)');
});
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** A service of one's own: `POST /orders` adds a row, as its `mode` says. */
async function serve(options: Partial<IdempotencyOptions> = {}): Promise<FastifyInstance> {
  const app = fastify();
  apps.push(app);
  addIdempotency(app, {
    pool,
    tenantOf: (request) => String(request.headers['x-tenant'] ?? ''),
    ...options,
  });
  app.post<{ Body: { what: string; status?: number; throws?: boolean; waitFor?: string } }>(
    '/orders',
    { config: { idempotent: true } },
    async (request, reply) => {
      const { what, status, throws, waitFor } = request.body;
      const { rows } = await request.tx.query<{ id: string }>(
        'INSERT INTO orders (what) VALUES ($1) RETURNING id',
        [what],
      );
      if (waitFor !== undefined) {
        await request.tx.query('SELECT pg_advisory_xact_lock($1)', [waitFor]);
      }
      if (throws) throw new Error('broken');
      return reply
        .code(status ?? 201)
        .header('location', `/orders/${rows[0]?.id}`)
        .header('set-cookie', 'secret=1')
        .send({ id: rows[0]?.id });
    },
  );
  await app.listen({ host: '127.0.0.1', port: 0 });
  return app;
}

/** An answer, read to its end. */
interface Answer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

async function order(
  app: FastifyInstance,
  key: string | undefined,
  body: object,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const { port } = app.server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/orders`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...headers,
    },
    body: JSON.stringify(body),
  });
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  };
}

const ordered = async (what: string): Promise<number> =>
  (await pool.query('SELECT FROM orders WHERE what = $1', [what])).rowCount ?? 0;

describe('an idempotent endpoint', () => {
  test('does its work once per key, and answers the same again', async () => {
    const app = await serve();
    const [key, what] = [randomUUID(), randomUUID()];
    const first = await order(app, key, { what });
    const again = await order(app, `"${key}"`, { what });
    expect([first.statusCode, again.statusCode]).toEqual([201, 201]);
    expect(again.body).toBe(first.body);
    expect(again.headers['location']).toBe(first.headers['location']);
    expect([first.headers['idempotent-replayed'], again.headers['idempotent-replayed']]).toEqual([
      undefined,
      'true',
    ]);
    // Not on the list of what is stored.
    expect(again.headers['set-cookie']).toBeUndefined();
    expect(await ordered(what)).toBe(1);
  });

  test('refuses the key for another body, and knows it by tenant', async () => {
    const app = await serve();
    const key = randomUUID();
    await order(app, key, { what: 'a' });
    const refused = await order(app, key, { what: 'b' });
    expect(refused.statusCode).toBe(422);
    expect(refused.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(JSON.parse(refused.body)).toMatchObject({
      type: 'urn:agent-once:problem:key.conflict',
      status: 422,
    });
    expect((await order(app, key, { what: 'b' }, { 'x-tenant': 'other' })).statusCode).toBe(201);
  });

  test.each(['"unterminated', '', 'a, b', '17'])('refuses the key %j', async (key) => {
    const app = await serve();
    const refused = await order(app, key, { what: 'a' });
    expect([refused.statusCode, JSON.parse(refused.body)]).toMatchObject([
      400,
      { type: 'urn:agent-once:problem:key.invalid', status: 400 },
    ]);
  });

  test('refuses a body that cannot be compared', async () => {
    const app = await serve();
    const refused = await order(app, randomUUID(), { what: 'a', status: 2 ** 60 });
    expect([refused.statusCode, JSON.parse(refused.body)]).toMatchObject([
      400,
      { type: 'urn:agent-once:problem:input.invalid', status: 400 },
    ]);
  });

  test('is new each time without a key, unless it is required', async () => {
    const what = randomUUID();
    const app = await serve();
    await order(app, undefined, { what });
    await order(app, undefined, { what });
    expect(await ordered(what)).toBe(2);
    const strict = await serve({ required: true });
    const missing = await order(strict, undefined, { what });
    expect([missing.statusCode, JSON.parse(missing.body)]).toMatchObject([
      400,
      { type: 'urn:agent-once:problem:http.key_missing', status: 400 },
    ]);
  });

  test('stores a refusal, without what was written before it', async () => {
    const app = await serve();
    const [key, what] = [randomUUID(), randomUUID()];
    expect((await order(app, key, { what, status: 409 })).statusCode).toBe(409);
    const again = await order(app, key, { what, status: 409 });
    expect([again.statusCode, again.headers['idempotent-replayed']]).toEqual([409, 'true']);
    expect(await ordered(what)).toBe(0);
  });

  test.each([{ throws: true }, { status: 503 }])(
    'stores nothing of a failure of its own: %o',
    async (failure) => {
      const app = await serve();
      const [key, what] = [randomUUID(), randomUUID()];
      const failed = await order(app, key, { what, ...failure });
      expect(failed.statusCode).toBeGreaterThanOrEqual(500);
      expect(await ordered(what)).toBe(0);
      expect((await order(app, key, { what })).statusCode).toBe(201);
      expect(await ordered(what)).toBe(1);
    },
  );

  test('forgets a key when its time is over', async () => {
    const app = await serve({ ttlMs: 60_000 });
    const [key, what] = [randomUUID(), randomUUID()];
    await order(app, key, { what });
    await pool.query(
      `UPDATE agent_once_idempotency.requests SET created_at = created_at - interval '59 s' WHERE key = $1`,
      [key],
    );
    await order(app, key, { what });
    expect(await ordered(what)).toBe(1);
    await pool.query(
      `UPDATE agent_once_idempotency.requests SET created_at = created_at - interval '2 s' WHERE key = $1`,
      [key],
    );
    await order(app, key, { what });
    expect(await ordered(what)).toBe(2);
    expect(await removeExpired(pool, 0)).toBeGreaterThan(0);
    expect((await pool.query('SELECT FROM agent_once_idempotency.requests')).rowCount).toBe(0);
  });
});

describe('a duplicate at the same time', () => {
  /** Holds the handlers that wait for it, until it is let go. */
  async function gate(): Promise<{ id: string; open(): Promise<void> }> {
    const client = await pool.connect();
    client.on('error', () => {});
    const id = String(Math.floor(Math.random() * 1e9));
    await client.query('SELECT pg_advisory_lock($1)', [id]);
    return {
      id,
      open: async () => {
        await client.query('SELECT pg_advisory_unlock($1)', [id]);
        client.release();
      },
    };
  }

  const inHandler = () =>
    eventually(async () => {
      const { rowCount } = await pool.query(
        `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%advisory_xact_lock($1)%'`,
      );
      expect(rowCount).toBe(1);
    });

  test('waits for the answer', async () => {
    const app = await serve();
    const { id, open } = await gate();
    const [key, body] = [randomUUID(), { what: randomUUID(), waitFor: id }];
    const first = order(app, key, body);
    await inHandler();
    const others = Array.from({ length: 4 }, () => order(app, key, body));
    await open();
    const answers = await Promise.all([first, ...others]);
    expect(new Set(answers.map((answer) => answer.body)).size).toBe(1);
    expect(await ordered(body.what)).toBe(1);
  });

  test('gets 409 at once where it is set so', async () => {
    const app = await serve({ waitMs: 0 });
    const { id, open } = await gate();
    const [key, body] = [randomUUID(), { what: randomUUID(), waitFor: id }];
    const first = order(app, key, body);
    await inHandler();
    const busy = await order(app, key, body);
    expect([busy.statusCode, busy.headers['retry-after'], JSON.parse(busy.body)]).toMatchObject([
      409,
      '1',
      { type: 'urn:agent-once:problem:http.duplicate_in_progress', status: 409 },
    ]);
    await open();
    expect((await first).statusCode).toBe(201);
    expect((await order(app, key, body)).headers['idempotent-replayed']).toBe('true');
  });

  test('follows a holder that died, whose work is rolled back', async () => {
    const app = await serve();
    const { id, open } = await gate();
    const [key, body] = [randomUUID(), { what: randomUUID(), waitFor: id }];
    const first = order(app, key, body);
    await inHandler();
    const second = order(app, key, body);
    // As when its process is killed: the server notices the connection's end.
    await pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE wait_event_type = 'Lock' AND query LIKE '%advisory_xact_lock($1)%'`,
    );
    expect((await first).statusCode).toBe(500);
    await open();
    const answer = await second;
    expect([answer.statusCode, answer.headers['idempotent-replayed']]).toEqual([201, undefined]);
    expect(await ordered(body.what)).toBe(1);
  });
});
