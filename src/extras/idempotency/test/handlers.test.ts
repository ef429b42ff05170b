import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import fastify, { type FastifyInstance } from 'fastify';
import pg from 'pg';
import { installIdempotency } from '../install.ts';
import { addIdempotency, type IdempotencyOptions } from '../plugin.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import { NET_MS } from '../../../../test/support/nets.ts';

let database: TestDatabase;
let pool: pg.Pool;
const apps: FastifyInstance[] = [];
const idempotent = { config: { idempotent: true } };

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 10 });
  pool.on('error', () => {});
  await installIdempotency(pool);
  await installIdempotency(pool);
  await pool.query('CREATE TABLE effects (what text)');
});
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** A service without an error handler of its own, with the routes that `add` adds. */
async function serve(
  add: (app: FastifyInstance) => void,
  options: Partial<IdempotencyOptions> = {},
): Promise<string> {
  const app = fastify();
  apps.push(app);
  addIdempotency(app, { pool, ...options });
  add(app);
  return app.listen({ host: '127.0.0.1', port: 0 });
}

function post(url: string, key: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    ...init,
    headers: { 'idempotency-key': key, ...(init.headers as Record<string, string>) },
  });
}

const replayed = ({ headers }: Response): boolean => headers.get('idempotent-replayed') === 'true';

const write = (tx: pg.ClientBase, what: string) =>
  tx.query('INSERT INTO effects (what) VALUES ($1)', [what]);

/** A promise that is resolved from outside. */
function createGate<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}

async function effects(what: string): Promise<number> {
  return (await pool.query('SELECT FROM effects WHERE what = $1', [what])).rowCount ?? 0;
}

async function stored(key: string): Promise<number> {
  const sql = 'SELECT FROM agent_once_idempotency.requests WHERE key = $1';
  return (await pool.query(sql, [key])).rowCount ?? 0;
}

describe('what refuses a request before its handler', () => {
  test.each(['before', 'after'] as const)(
    "comes first and is not stored: a route's preHandler, one that is added %s the plugin's",
    async (order) => {
      const what = randomUUID();
      const authorize = async (headers: Record<string, unknown>): Promise<void> => {
        await Promise.resolve();
        if (headers['authorization'] === 'ann') return;
        throw Object.assign(new Error('Who is it?'), { statusCode: 401 });
      };
      const url = await serve((app) => {
        if (order === 'after') {
          // As plugins do that guard routes: added to the route after this one has seen it.
          app.addHook('onRoute', (route) => {
            route.preHandler = [({ headers }) => authorize(headers)];
          });
        }
        app.post(
          '/pay',
          {
            ...idempotent,
            ...(order === 'before' && { preHandler: ({ headers }) => authorize(headers) }),
          },
          async ({ tx }) => {
            await write(tx, what);
            return { secret: what };
          },
        );
      });
      const key = randomUUID();
      const ann = { headers: { authorization: 'ann' } };
      expect((await post(`${url}/pay`, key)).status).toBe(401);
      expect(await stored(key)).toBe(0);
      expect((await post(`${url}/pay`, key, ann)).status).toBe(200);
      const refused = await post(`${url}/pay`, key);
      expect([refused.status, replayed(refused)]).toEqual([401, false]);
      expect(await refused.text()).not.toContain(what);
      expect(replayed(await post(`${url}/pay`, key, ann))).toBe(true);
      expect(await effects(what)).toBe(1);
    },
  );

  test('a route that was there before the plugin does nothing', async () => {
    const app = fastify();
    apps.push(app);
    let calls = 0;
    app.post('/pay', idempotent, async () => ({ calls: ++calls }));
    addIdempotency(app, { pool });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const answer = await post(`${url}/pay`, randomUUID());
    expect([answer.status, await answer.text()]).toEqual([
      500,
      expect.stringContaining('Call addIdempotency before'),
    ]);
    expect(calls).toBe(0);
  });
});

describe('a handler that takes long', () => {
  /** A process that lives is never still for so long, on a busy machine either. */
  const IDLE_MS = 2_000;

  test.each(['idle', 'in a failed transaction', 'without a promise'])(
    'keeps its key while it lives: %s',
    async (how) => {
      const what = randomUUID();
      let runs = 0;
      const gate = createGate<void>();
      const work = async (tx: pg.ClientBase) => {
        runs++;
        if (how !== 'in a failed transaction') return write(tx, what).then(() => gate.promise);
        await tx.query('SAVEPOINT mine');
        await tx.query('SELECT 1 / 0').catch(() => undefined);
        await gate.promise;
        await tx.query('ROLLBACK TO SAVEPOINT mine');
        return write(tx, what);
      };
      const url = await serve(
        (app) => {
          if (how === 'without a promise') {
            app.post('/slow', idempotent, ({ tx }, reply) => {
              void work(tx).then(() => reply.send({ done: what }));
            });
          } else {
            app.post('/slow', idempotent, async ({ tx }) => {
              await work(tx);
              return { done: what };
            });
          }
        },
        { idleMs: IDLE_MS, waitMs: NET_MS },
      );
      const key = randomUUID();
      const first = post(`${url}/slow`, key);
      await eventually(() => expect(runs).toBe(1));
      const second = post(`${url}/slow`, key);
      // The limit has to pass: nothing but time shows that it does not matter.
      await sleep(2 * IDLE_MS);
      gate.resolve();
      const answers = await Promise.all([first, second]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(answers.map(replayed)).toEqual([false, true]);
      expect([runs, await effects(what)]).toEqual([1, 1]);
    },
  );

  test('loses its transaction when its process is frozen, and says so', async () => {
    const what = randomUUID();
    let runs = 0;
    const url = await serve(
      (app) => {
        app.post('/frozen', idempotent, async ({ tx }) => {
          await write(tx, what);
          // Nothing of this process runs meanwhile, as under SIGSTOP.
          if (++runs === 1)
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * IDLE_MS);
          return { done: what };
        });
      },
      { idleMs: IDLE_MS },
    );
    const key = randomUUID();
    const first = await post(`${url}/frozen`, key);
    expect([first.status, await first.text()]).toEqual([
      500,
      expect.stringContaining('The answer was not stored'),
    ]);
    expect([await stored(key), await effects(what)]).toEqual([0, 0]);
    const again = await post(`${url}/frozen`, key);
    expect([again.status, replayed(again), await effects(what)]).toEqual([200, false, 1]);
  });

  test('that takes its answer over keeps no transaction', async () => {
    const what = randomUUID();
    const url = await serve((app) => {
      app.post('/own', idempotent, async ({ tx }, reply) => {
        await write(tx, what);
        reply.hijack();
        reply.raw.destroy();
      });
    });
    const key = randomUUID();
    await expect(post(`${url}/own`, key)).rejects.toThrow();
    await eventually(() => expect(pool.idleCount).toBe(pool.totalCount));
    expect([await stored(key), await effects(what)]).toEqual([0, 0]);
  });

  test('and is given up writes nothing in a later transaction of the connection', async () => {
    const what = randomUUID();
    const late = createGate<unknown>();
    const gate = createGate<void>();
    const url = await serve((app) => {
      app.post('/late', { ...idempotent, handlerTimeout: 200 }, async ({ tx }) => {
        await write(tx, what);
        await gate.promise;
        await write(tx, what).then(late.resolve, late.resolve);
        return {};
      });
    });
    expect((await post(`${url}/late`, randomUUID())).status).toBe(503);
    gate.resolve();
    expect(await late.promise).toBeInstanceOf(Error);
    expect(await effects(what)).toBe(0);
  });
});

describe('an answer', () => {
  test.each([
    ['bytes that are no text', Buffer.from([0xff, 0x00, 0xfe, 0x80]), 'image/png'],
    ['text with NUL', 'a\u0000b', 'text/plain; charset=utf-8'],
    ['JSON with NUL', { text: 'a\u0000b' }, 'application/json; charset=utf-8'],
    ['nothing', undefined, undefined],
  ])('is the same again: %s', async (_what, content, type) => {
    const url = await serve((app) => {
      app.post('/answer', idempotent, (_request, reply) => {
        if (type !== undefined) reply.type(type);
        void reply.code(201).send(content);
      });
    });
    const key = randomUUID();
    const init = {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ nul: '\u0000' }),
    };
    const first = await post(`${url}/answer`, key, init);
    const again = await post(`${url}/answer`, key, init);
    expect([first.status, again.status, replayed(again)]).toEqual([201, 201, true]);
    expect(first.headers.get('content-type')).toBe(type ?? null);
    expect(again.headers.get('content-type')).toBe(type ?? null);
    expect(Buffer.from(await again.arrayBuffer())).toEqual(Buffer.from(await first.arrayBuffer()));
  });

  test('belongs to the query and to bytes of a body too', async () => {
    const url = await serve((app) => {
      app.addContentTypeParser('image/png', { parseAs: 'buffer' }, (_request, body, done) =>
        done(null, body),
      );
      app.post('/pay', idempotent, async ({ query }) => query);
    });
    const key = randomUUID();
    const png = (body: Buffer) => ({ headers: { 'content-type': 'image/png' }, body });
    const [one, other] = [png(Buffer.from([0xff])), png(Buffer.from([0xfe]))];
    expect((await post(`${url}/pay?amount=1`, key, one)).status).toBe(200);
    expect((await post(`${url}/pay?amount=2`, key, one)).status).toBe(422);
    expect((await post(`${url}/pay?amount=1`, key, other)).status).toBe(422);
    expect(replayed(await post(`${url}/pay?amount=1`, key, one))).toBe(true);
  });

  test.each(['ROLLBACK', 'ROLLBACK; BEGIN', 'COMMIT', 'COMMIT; BEGIN'])(
    'is no success when the handler sends %s: nothing of it would be stored',
    async (statement) => {
      const what = randomUUID();
      const url = await serve((app) => {
        app.post('/own', idempotent, async ({ tx }, reply) => {
          await write(tx, what);
          await tx.query(statement).catch(() => undefined);
          return reply.code(201).header('location', '/own/1').send({ done: true });
        });
      });
      const key = randomUUID();
      const answer = await post(`${url}/own`, key);
      expect([answer.status, answer.headers.get('location')]).toEqual([500, null]);
      expect(await answer.text()).toContain('ended the transaction of request.tx itself');
      expect([await stored(key), await effects(what)]).toEqual([0, 0]);
    },
  );

  test('is no success when its transaction has failed', async () => {
    const what = randomUUID();
    const url = await serve((app) => {
      app.post('/failed', idempotent, async ({ tx }) => {
        await write(tx, what);
        await tx.query('SELECT 1 / 0').catch(() => undefined);
        return { done: true };
      });
    });
    const key = randomUUID();
    expect((await post(`${url}/failed`, key)).status).toBe(500);
    expect([await stored(key), await effects(what)]).toEqual([0, 0]);
  });
});
