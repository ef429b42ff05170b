import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { startShop, type Shop } from '../../examples/shop/server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

let database: TestDatabase;
let shop: Shop;

beforeAll(async () => {
  database = await createTestDatabase();
  // Two at once on an empty database: both must come up.
  const [one, other] = await Promise.all([
    startShop({ databaseUrl: database.url }),
    startShop({ databaseUrl: database.url }),
  ]);
  await other.stop();
  shop = one;
});
afterAll(async () => {
  await shop?.stop();
  await database?.drop();
});
beforeEach(async () => {
  await fetch(`${shop.url}/reset`, { method: 'POST' });
  await fetch(`${shop.url}/faults`, { method: 'DELETE' });
});

const refund = { order: 1042, amountEur: 25, reason: 'scratched' };
const email = { to: 'alan@example.com', subject: 'Hello', body: 'World' };

interface Answer {
  status: number;
  replayed: boolean;
  body: Record<string, unknown>;
}

async function send(path: string, body: object, key?: string): Promise<Answer> {
  const response = await fetch(shop.url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    replayed: response.headers.get('idempotent-replayed') === 'true',
    body: (await response.json()) as Record<string, unknown>,
  };
}

async function get<T = Record<string, unknown>>(path: string): Promise<T> {
  return (await (await fetch(shop.url + path)).json()) as T;
}

describe('orders', () => {
  test('1041 to 1050 are there, each over 250 EUR', async () => {
    const orders = await get<{ order: number; totalEur: number }[]>('/orders');
    expect(orders.map(({ order }) => order)).toEqual(
      Array.from({ length: 10 }, (_, index) => 1041 + index),
    );
    for (const { totalEur } of orders) expect(totalEur).toBeGreaterThan(250);
  });

  test('one is looked up by its number', async () => {
    expect(await get('/orders/1042')).toMatchObject({
      order: 1042,
      customer: 'Alan Turing',
      email: 'alan@example.com',
      totalEur: 289.9,
      refundedEur: 0,
    });
  });

  test.each([
    ['/orders/9999', 404],
    ['/orders/abc', 400],
    ['/orders/99999999999999', 400],
    ['/nothing', 404],
  ])('%s is %i, with an error to read', async (path, status) => {
    const response = await fetch(shop.url + path);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error: expect.stringMatching(/.../) });
  });
});

describe('refunds', () => {
  test('are booked in parts, never more than the total', async () => {
    expect((await send('/refunds', { ...refund, amountEur: '264.90' })).status).toBe(201);
    expect((await send('/refunds', { ...refund, amountEur: 25 })).status).toBe(201);
    const refused = await send('/refunds', { ...refund, amountEur: 0.01 });
    expect(refused.status).toBe(409);
    expect(refused.body['error']).toContain('0.00 EUR left');
    expect(await get('/orders/1042')).toMatchObject({ refundedEur: 289.9, refundableEur: 0 });
    const list = await get<{ amountEur: number }[]>('/refunds?order=1042');
    expect(list.map(({ amountEur }) => amountEur)).toEqual([264.9, 25]);
    expect(await get('/refunds?order=1041')).toEqual([]);
  });

  test('of one order at once share what is left', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => send('/refunds', { ...refund, amountEur: 100 })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(8);
    expect(await get('/orders/1042')).toMatchObject({ refundedEur: 200 });
  });

  test.each([0, -5, 1.005, '12,50', 'ten', null, 1e12, ''])(
    'of %p EUR are refused',
    async (amountEur) => {
      expect((await send('/refunds', { ...refund, amountEur })).status).toBe(400);
    },
  );

  test('of an unknown order are refused, and of nothing at all', async () => {
    expect((await send('/refunds', { ...refund, order: 1 })).status).toBe(404);
    expect((await send('/refunds', {})).status).toBe(400);
    const bare = await fetch(`${shop.url}/refunds`, { method: 'POST' });
    expect(bare.status).toBe(400);
    expect(await get('/counters')).toMatchObject({ refunds: 0, refundRequests: 3 });
  });
});

describe.each([
  ['/refunds', refund, 'refunds', 'refundRequests', { ...refund, amountEur: 26 }],
  ['/emails', email, 'emails', 'emailRequests', { ...email, body: 'other' }],
] as const)('Idempotency-Key on %s', (path, body, effects, requests, otherBody) => {
  test('the same request gets the stored answer', async () => {
    const first = await send(path, body, 'k1');
    const again = await send(path, body, 'k1');
    expect(first).toMatchObject({ status: 201, replayed: false });
    expect(again).toEqual({ ...first, replayed: true });
    expect(await get('/counters')).toMatchObject({ [effects]: 1, [requests]: 2 });
  });

  test('another request under the key is refused', async () => {
    await send(path, body, 'k1');
    expect((await send(path, otherBody, 'k1')).status).toBe(422);
    expect(await get('/counters')).toMatchObject({ [effects]: 1, [requests]: 2 });
  });

  test('duplicates at once have one effect', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => send(path, body, 'k1')));
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(answers.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
    expect(await get('/counters')).toMatchObject({ [effects]: 1, [requests]: 40 });
  });

  test('without a key every request is a new one', async () => {
    await send(path, body);
    await send(path, body);
    expect(await get('/counters')).toMatchObject({ [effects]: 2, [requests]: 2 });
  });

  test('a refused request leaves its key free', async () => {
    const wrong = path === '/refunds' ? { ...refund, amountEur: 1000 } : { ...email, to: 'nobody' };
    expect((await send(path, wrong, 'k1')).status).toBeGreaterThanOrEqual(400);
    expect((await send(path, body, 'k1')).status).toBe(201);
  });

  test('an answer lost after the commit is given to the next request', async () => {
    await setFaults({ kind: 'drop', when: 'after-commit', endpoint: effects });
    await expect(send(path, body, 'k1')).rejects.toThrow('fetch failed');
    expect(await get('/counters')).toMatchObject({ [effects]: 1, [requests]: 1 });
    expect(await send(path, body, 'k1')).toMatchObject({ status: 201, replayed: true });
    expect(await get('/counters')).toMatchObject({ [effects]: 1, [requests]: 2 });
  });

  test('a request that failed before its effect is counted', async () => {
    await setFaults({ kind: 'status', status: 500, endpoint: effects });
    expect((await send(path, body, 'k1')).status).toBe(500);
    expect(await get('/counters')).toMatchObject({ [effects]: 0, [requests]: 1 });
    expect(await send(path, body, 'k1')).toMatchObject({ status: 201, replayed: false });
  });
});

test('a connection that the database cuts in the middle of a refund leaves nothing behind', async () => {
  const direct = new pg.Client({ connectionString: database.url });
  await direct.connect();
  try {
    await direct.query('BEGIN; SELECT 1 FROM shop.orders WHERE id = 1042 FOR UPDATE');
    const cut = send('/refunds', refund, 'k1');
    await eventually(async () => {
      const { rowCount } = await direct.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(rowCount).toBe(1);
    });
    expect((await cut).status).toBe(503);
    await direct.query('ROLLBACK');
  } finally {
    await direct.end();
  }
  expect(await get('/counters')).toMatchObject({ refunds: 0, refundRequests: 1 });
  expect(await send('/refunds', refund, 'k1')).toMatchObject({ status: 201, replayed: false });
});

test('keys of refunds and e-mails are apart', async () => {
  expect((await send('/refunds', refund, 'k1')).status).toBe(201);
  expect((await send('/emails', email, 'k1')).status).toBe(201);
  expect(await get('/emails')).toMatchObject([{ ...email, idempotencyKey: 'k1' }]);
});

test('counters have these four numbers, and outlive the shop', async () => {
  await send('/refunds', refund, 'k1');
  await send('/emails', email, 'k1');
  await send('/emails', email, 'k1');
  const counters = { refunds: 1, emails: 1, refundRequests: 1, emailRequests: 2 };
  expect(await get('/counters')).toEqual(counters);
  await shop.stop();
  shop = await startShop({ databaseUrl: database.url });
  expect(await get('/counters')).toEqual(counters);
  expect(await send('/refunds', refund, 'k1')).toMatchObject({ replayed: true });
});

test('a taken port has its own error', async () => {
  await expect(startShop({ port: shop.port, databaseUrl: database.url })).rejects.toMatchObject({
    code: 'port.in_use',
  });
});

async function setFaults(...faults: object[]): Promise<void> {
  expect((await send('/faults', { faults })).status).toBe(200);
}
