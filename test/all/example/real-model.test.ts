import { spawn, type ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startShop, type Shop } from '../../../examples/shop/server.ts';
import { AgentOnceClient } from '../../../src/client/agent-once-client.ts';
import { program } from '../../support/program.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';

/** Set by `npm run test:real-model`. */
const { REAL_MODEL_URL } = process.env;
const testReal = REAL_MODEL_URL === undefined ? test.skip : test;

let system: TestSystem;
let shop: Shop;
let worker: ChildProcess;

beforeAll(async () => {
  if (REAL_MODEL_URL === undefined) return;
  system = await startTestSystem();
  shop = await startShop({ databaseUrl: system.env['LEDGER_URL'] ?? '' });
  const { execArgv, file } = program('test/all/example/real-model-worker');
  worker = spawn(process.execPath, [...execArgv, file], {
    env: {
      PATH: process.env['PATH'] ?? '',
      ...system.env,
      SHOP_URL: shop.url,
      OPENAI_BASE_URL: REAL_MODEL_URL,
      OPENAI_MODEL: 'local',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
});
afterAll(async () => {
  worker?.kill('SIGKILL');
  await shop?.stop();
  await system?.close();
});

testReal(
  'the example on a real model: it asks for the tool it must, and the run ends well',
  async () => {
    const client = new AgentOnceClient({ temporal: system.temporal });
    const run = { agent: 'support', key: 'real' };
    const { workflowId } = await client.start({ ...run, input: 'What is in order 1042?' });
    const view = await client.result(run);
    const [first, call] = await system.ledger.steps(await system.scopeOf(workflowId));
    // What it says is the model's business; that it is read, checked, recorded and counted is ours.
    expect(first).toMatchObject({
      step: 't1.model',
      state: 'completed',
      attempts: 1,
      unknownAttempts: 0,
      result: { calls: [{ tool: 'lookup_order' }] },
    });
    expect(first?.inputTokens).toBeGreaterThan(100);
    expect(first?.outputTokens).toBeGreaterThan(0);
    expect(call).toMatchObject({ step: 't1.c0', name: 'lookup_order', state: 'completed' });
    expect(view).toMatchObject({ status: 'completed', result: expect.stringMatching(/\S/) });
    // The same key again asks nobody.
    expect(await client.start({ ...run, input: 'What is in order 1042?' })).toMatchObject({
      replayed: true,
      result: view.result,
    });
  },
);
