import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';
import { untilEnd } from '../support/until-end.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(() => system.close());

/** A request whose model has no credit left in turn 3. */
function outOfCredit(key: string) {
  const input = script(calls(['look', { label: key }]), calls(['charge', { label: key }]), {
    say: 'ok',
    fault: { kind: 'insufficient-quota' },
  });
  return { agent: 'tester', key, input, options: { model: 'model-a' } };
}

async function failIn(request: ReturnType<typeof outOfCredit>) {
  const { workflowId } = await system.client.start(request);
  expect(await untilEnd(system.client, request)).toMatchObject({
    status: 'failed',
    error: { code: 'model.quota_exhausted' },
  });
  return { scope: await system.scopeOf(workflowId) };
}

/** What the model server was asked for a turn: the body of each request. */
const asked = async (scope: string, turn: number) =>
  (await system.receivedBy(`${scope}:t${turn}.model`)).map(({ body }) => body);

test('a run that failed in turn 3 is resumed in turn 3 with another model, which is asked only from there on', async () => {
  const request = outOfCredit('elsewhere');
  const { scope } = await failIn(request);

  const other = { ...request, options: { model: 'model-b' }, retryFailed: true };
  expect(await system.client.start(other)).toMatchObject({ resumed: true, replayed: false });
  expect(await untilEnd(system.client, request)).toMatchObject({
    status: 'completed',
    result: 'ok',
    usage: { turns: 3, modelCalls: 3, toolCalls: 2 },
  });
  const models = [await asked(scope, 1), await asked(scope, 2), await asked(scope, 3)].map(
    (bodies) => bodies.map(({ model }) => model),
  );
  expect(models).toEqual([['model-a'], ['model-a'], ['model-a', 'model-b']]);
  expect(system.counter.effects('charge:elsewhere')).toBe(1);
  expect(system.counter.requests('look:elsewhere')).toBe(1);
  // Whoever repeats either request gets what came of it.
  for (const repeated of [other, request]) {
    expect(await system.client.start(repeated)).toMatchObject({ result: 'ok', replayed: true });
  }
});

test('a run is resumed with less thinking and a limit of tokens, which each later turn has', async () => {
  const request = outOfCredit('thoughtful');
  const { scope } = await failIn(request);
  const limits = { reasoningEffort: 'low', maxOutputTokens: 900 };
  await system.client.resume(request, { limits });
  expect(await untilEnd(system.client, request)).toMatchObject({ status: 'completed' });
  const [before, after] = await asked(scope, 3);
  expect(before).not.toHaveProperty('reasoning_effort');
  expect(after).toMatchObject({
    model: 'model-a',
    reasoning_effort: 'low',
    max_completion_tokens: 900,
  });
});
