import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startShop, type Shop } from '../../../examples/shop/server.ts';
import { AgentOnceClient } from '../../../src/client/agent-once-client.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';

/** Set by `npm run test:real-model`. */
const { REAL_MODEL_URL } = process.env;
const testReal = REAL_MODEL_URL === undefined ? test.skip : test;

const here = (file: string) => new URL(file, import.meta.url).href;
const LOADER = here('../../../bin/register-typescript.js');
const WORKER = fileURLToPath(here('real-model-worker.ts'));

let system: TestSystem;
let shop: Shop;
let worker: ChildProcess;

beforeAll(async () => {
  if (REAL_MODEL_URL === undefined) return;
  system = await startTestSystem();
  shop = await startShop({ databaseUrl: system.env['LEDGER_URL'] ?? '' });
  worker = spawn(process.execPath, ['--import', LOADER, WORKER], {
    env: {
      PATH: process.env['PATH'] ?? '',
      ...system.env,
      SHOP_URL: shop.url,
      OPENAI_BASE_URL: REAL_MODEL_URL,
      OPENAI_MODEL: 'local',
      OPENAI_STRUCTURED: 'schema',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
});
afterAll(async () => {
  worker?.kill('SIGKILL');
  await shop?.stop();
  await system?.close();
});

/** A run to its end, or the end of its worker. */
async function run(agent: string, input: string) {
  const client = new AgentOnceClient({ temporal: system.temporal });
  const { key, workflowId } = await client.start({ agent, key: 'real', input });
  const ended = once(worker, 'exit').then(() => {
    throw new Error('The worker ended.');
  });
  const view = await Promise.race([client.result({ agent, key }), ended]);
  const steps = await system.ledger.steps(await system.scopeOf(workflowId));
  // The same key again asks nobody.
  const again = await client.start({ agent, key: 'real', input });
  expect(again).toMatchObject({ replayed: true, status: view.status, result: view.result });
  return { view, steps };
}

testReal('a real model is held to the schema of an agent’s output', async () => {
  const { view, steps } = await run('clerk', 'Order 1042 came broken. I want my 25 EUR back.');
  expect(view).toMatchObject({
    status: 'completed',
    result: { order: expect.any(Number), wantsRefund: expect.any(Boolean) },
  });
  expect(steps).toMatchObject([
    { step: 't1.model', state: 'completed', attempts: 1, unknownAttempts: 0 },
  ]);
  expect(steps[0]?.inputTokens).toBeGreaterThan(20);
  expect(steps[0]?.outputTokens).toBeGreaterThan(5);
});

testReal('the example looks up an order, as it is made to, and answers', async () => {
  const { view, steps } = await run('support', 'What is in order 1042?');
  expect(steps.slice(0, 3)).toMatchObject([
    { step: 't1.model', state: 'completed', attempts: 1, unknownAttempts: 0 },
    {
      step: 't1.c0',
      name: 'lookup_order',
      state: 'completed',
      request: { order: expect.any(Number) },
      attempts: 1,
    },
    { step: 't2.model' },
  ]);
  expect(view.usage?.toolCalls).toBeGreaterThan(0);
  expect(view.usage?.inputTokens).toBeGreaterThan(100);
  // What so small a model says is its own business; it may ramble on until its limit.
  const code = view.error?.code ?? 'none';
  expect(['none', 'model.truncated', 'run.turn_limit']).toContain(code);
  expect(view.status).toBe(code === 'none' ? 'completed' : 'failed');
});
