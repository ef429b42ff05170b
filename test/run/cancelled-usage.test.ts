import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { JsonValue } from '../../src/contract/json-value.ts';
import { eventually } from '../support/eventually.ts';
import { script, startTestSystem, type TestSystem } from '../support/system.ts';
import { untilEnd } from '../support/until-end.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(() => system.close());

test('what an unusable answer cost is counted in a run that is cancelled while it is asked for again', async () => {
  const blank: JsonValue = {
    choices: [{ message: { role: 'assistant', content: '' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1_000, completion_tokens: 100 },
    model: 'scripted',
  };
  const run = await system.client.start({
    agent: 'tester',
    input: script({
      say: 'ok',
      fault: { kind: 'status', status: 200, body: blank },
      delayMs: 6_000,
    }),
  });
  const scope = await system.scopeOf(run.workflowId);
  await eventually(async () => {
    expect(await system.ledger.step(scope, 't1.model')).toMatchObject({ round: 1 });
    expect((await system.modelRequests()).byToken[`${scope}:t1.model`]).toBe(2);
  });
  await system.client.cancel(run);
  const view = await untilEnd(system.client, run);
  const paid = { inputTokens: 1_000, outputTokens: 100, costUsd: 0.00045 };
  expect(await system.ledger.step(scope, 't1.model')).toMatchObject(paid);
  expect(view.status).toBe('cancelled');
  expect(view.usage).toMatchObject(paid);
});
