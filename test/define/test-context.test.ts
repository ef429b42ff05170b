import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { z } from 'zod';
import { createTestContext, runTool } from '../../src/define/test-context.ts';
import { defineTool, type ToolContext } from '../../src/define/define-tool.ts';
import { NotApplied } from '../../src/define/not-applied.ts';
import { startCounterServer, type CounterServer } from '../support/counter-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let server: CounterServer;
beforeEach(async () => {
  server = await startCounterServer();
});
afterEach(() => server.stop());

async function ask(method: string, { headers, signal }: ToolContext): Promise<unknown> {
  const response = await fetch(`${server.url}/count/it`, { method, headers, signal });
  if (!response.ok) throw new NotApplied(`The other side answered ${response.status}.`);
  return response.json();
}

const common = { name: 'tool', description: 'A tool.', input: z.object({ n: z.int().default(1) }) };
const read = defineTool({ ...common, effect: 'read', run: (_, ctx) => ask('GET', ctx) });
const keyed = defineTool({ ...common, effect: 'keyed', run: (_, ctx) => ask('POST', ctx) });
const atMostOnce = defineTool({
  ...common,
  effect: 'at-most-once',
  run: (_, ctx) => ask('POST', ctx),
});
const reconcile = defineTool({
  ...common,
  effect: 'reconcile',
  run: (_, ctx) => ask('POST', ctx),
  async find(_, ctx) {
    const { times } = (await ask('GET', ctx)) as { times: number };
    return times === 0 ? undefined : { times };
  },
});
const transactional = defineTool({
  ...common,
  effect: 'transactional',
  async run({ n }, ctx) {
    const { rowCount } = await ctx.tx.query('INSERT INTO kept (n) VALUES ($1)', [n]);
    return { kept: rowCount };
  },
});

describe('a tool is unit-tested with a context of its own effect', () => {
  test('read', async () => {
    expect(await runTool(read, {}, createTestContext(read))).toEqual({ times: 0 });
  });

  test('keyed: one context is one token, another one another', async () => {
    const ctx = createTestContext(keyed);
    await runTool(keyed, {}, ctx);
    await runTool(keyed, {}, { ...ctx, attempt: 2 });
    expect([server.requests('it'), server.effects('it')]).toEqual([2, 1]);
    await runTool(keyed, {}, createTestContext(keyed));
    expect(server.effects('it')).toBe(2);
    expect(ctx.token).toMatch(/^[A-Za-z0-9:.-]{40,120}$/);
  });

  test('reconcile: what an attempt did is found by its token', async () => {
    const ctx = createTestContext(reconcile);
    expect(await reconcile.find({ n: 1 }, ctx)).toBeUndefined();
    await runTool(reconcile, {}, ctx);
    expect(await reconcile.find({ n: 1 }, ctx)).toEqual({ times: 1 });
  });

  test('at-most-once: what it throws reaches the test', async () => {
    server.fail('it');
    const run = runTool(atMostOnce, {}, createTestContext(atMostOnce));
    await expect(run).rejects.toThrow(NotApplied);
  });

  describe('transactional', () => {
    let database: TestDatabase;
    let tx: pg.Client;
    beforeAll(async () => {
      database = await createTestDatabase();
      tx = new pg.Client(database.url);
      await tx.connect();
      await tx.query('CREATE TABLE kept (n int PRIMARY KEY)');
    });
    afterAll(async () => {
      await tx.end();
      await database.drop();
    });

    test('it writes in the transaction that the test gives it, which can be rolled back', async () => {
      await tx.query('BEGIN');
      const ctx = createTestContext(transactional, { tx });
      expect(await runTool(transactional, { n: 7 }, ctx)).toEqual({ kept: 1 });
      expect((await tx.query('SELECT n FROM kept')).rows).toEqual([{ n: 7 }]);
      await tx.query('ROLLBACK');
      expect((await tx.query('SELECT n FROM kept')).rows).toEqual([]);
    });

    test('without one it does not compile, as the type check of this file shows', () => {
      // @ts-expect-error: `tx` is missing.
      createTestContext(transactional);
      // @ts-expect-error: a context without `tx` is not enough for this tool.
      const run = () => runTool(transactional, {}, createTestContext(keyed));
      expect(run).toBeInstanceOf(Function);
    });
  });
});

test('arguments are parsed: defaults apply, and what does not fit is refused before the tool runs', async () => {
  const given: unknown[] = [];
  const tool = defineTool({ ...common, effect: 'read', run: async (input) => given.push(input) });
  await runTool(tool, {}, createTestContext(tool));
  await expect(runTool(tool, { n: 'one' }, createTestContext(tool))).rejects.toThrow(z.ZodError);
  expect(given).toEqual([{ n: 1 }]);
});

test('what the test gives is in the context, and the headers follow it', () => {
  const signal = AbortSignal.abort();
  const given = {
    token: 'a:t2.c1',
    tenant: 'acme',
    agent: 'billing',
    key: 'k-1',
    attempt: 3,
    signal,
  };
  expect(createTestContext(keyed, given)).toMatchObject({
    ...given,
    workflowId: 'agent-acme.billing-k-1',
    headers: { 'Idempotency-Key': 'a:t2.c1', 'X-Agent-Run-Id': 'agent-acme.billing-k-1' },
  });
});
