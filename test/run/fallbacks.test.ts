import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { startTestSystem, type TestSystem, type TestWorker } from '../support/system.ts';
import {
  BUSY,
  chatAnswer,
  GONE,
  NO_CREDIT,
  startThreeEndpoints,
  type ThreeEndpoints,
} from '../support/three-endpoints.ts';

let system: TestSystem;
let models: ThreeEndpoints;
let worker: TestWorker;

beforeAll(async () => {
  [system, models] = await Promise.all([startTestSystem(), startThreeEndpoints()]);
  worker = await system.startWorker(models.env);
});
afterAll(async () => {
  await system.close();
  await models.stop();
});
beforeEach(() => {
  models.first.reply(402, NO_CREDIT);
  models.second.reply(404, GONE);
  models.third.reply(200, chatAnswer('the third says hello'));
});

async function run(key: string) {
  const { workflowId } = await system.client.start({ agent: 'cautious', key, input: 'hello' });
  const view = await system.client.result({ agent: 'cautious', key });
  const scope = await system.scopeOf(workflowId);
  const asked = (step: string) => models.asked(`${scope}:${step}`);
  return { view, scope, asked, step: await system.ledger.step(scope, 't1.model') };
}

test('a model that refuses for good is followed by the next, and only the answer is paid', async () => {
  const { view, asked, step } = await run('for-good');
  expect(view).toMatchObject({ status: 'completed', result: 'the third says hello' });
  expect(view.usage).toMatchObject({ modelCalls: 1, inputTokens: 100, outputTokens: 10 });
  expect(asked('t1.model')).toEqual({ first: 1, second: 1, third: 1 });
  // The step keeps the name it was claimed under; its record says who answered.
  expect(step).toMatchObject({ name: 'first', result: { answeredBy: 'third' } });
  expect(step?.errors.map(({ code }) => code)).toEqual(['model.quota_exhausted', 'model.rejected']);
  expect(step?.errors[0]?.message).toMatch(/The next attempt asks the model "second"\.$/);
});

test('a refusal that comes with status 200 costs nothing and uses up no attempt either', async () => {
  models.first.reply(200, { error: { code: 402, message: 'no credit' } });
  // A gateway that had begun to answer for another model.
  const choice = { message: { content: null }, finish_reason: 'error', error: GONE.error };
  models.second.reply(200, { object: 'chat.completion', choices: [choice] });
  let request = 0;
  models.third.answer((response) => {
    request += 1;
    const [status, body] = request < 6 ? [500, BUSY] : [200, chatAnswer('at last')];
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const { view, asked, step } = await run('refused-in-200');
  // The third has all of the policy's six attempts.
  expect(view).toMatchObject({ status: 'completed', result: 'at last' });
  expect(asked('t1.model')).toEqual({ first: 1, second: 1, third: 6 });
  expect(view.usage).toMatchObject({ inputTokens: 100, outputTokens: 10 });
  // Each refusal was a whole answer: what is asked under its token again is another request.
  expect(step).toMatchObject({ round: 2, unknownAttempts: 0 });
});

test('three overloads in a row are enough, and use up no more than their attempts', async () => {
  models.first.reply(503, BUSY);
  const { view, asked, step } = await run('overloaded');
  expect(view.status).toBe('completed');
  expect(asked('t1.model')).toEqual({ first: 3, second: 1, third: 1 });
  expect(step).toMatchObject({ attempts: 5, unknownAttempts: 0 });
});

test('an endpoint that asks for a long wait is not waited for', async () => {
  models.first.reply(429, BUSY, { 'retry-after': '3600' });
  const { view, asked } = await run('long-wait');
  expect(view.status).toBe('completed');
  expect(asked('t1.model')).toEqual({ first: 1, second: 1, third: 1 });
});

test('a connection that breaks before the answer may have been paid for, and so says the record', async () => {
  let request = 0;
  models.first.answer((response) => {
    request += 1;
    if (request === 1) return void response.socket?.destroy();
    const [status, body] = request === 2 ? [504, BUSY] : [200, chatAnswer('at last')];
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const { view, asked, step } = await run('broken');
  expect(view.result).toBe('at last');
  expect(asked('t1.model')).toEqual({ first: 3, second: 0, third: 0 });
  expect(step?.errors).toMatchObject([
    { code: 'model.unreachable', mayBePaid: true },
    { code: 'model.unavailable', mayBePaid: true },
  ]);
});

test('an overload between other errors is none of a row', async () => {
  let request = 0;
  models.first.answer((response) => {
    request += 1;
    const status = [503, 503, 500, 503, 503][request - 1];
    const [code, body] = status === undefined ? [200, chatAnswer('at last')] : [status, BUSY];
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const { view, asked } = await run('not-in-a-row');
  expect(view.result).toBe('at last');
  expect(asked('t1.model')).toEqual({ first: 6, second: 0, third: 0 });
});

test('what may have been paid for is asked for again where it was', async () => {
  models.first.reply(200, chatAnswer(''));
  const { view, asked } = await run('blank');
  expect(view).toMatchObject({ status: 'failed', error: { code: 'model.bad_answer' } });
  expect(asked('t1.model')).toEqual({ first: 3, second: 0, third: 0 });
});

test('the last model’s refusal is the run’s failure; a resume begins at the first again', async () => {
  models.third.reply(402, NO_CREDIT);
  const failed = await run('none-left');
  expect(failed.view).toMatchObject({ status: 'failed', error: { code: 'model.quota_exhausted' } });
  models.first.reply(200, chatAnswer('topped up'));
  await system.client.resume({ agent: 'cautious', key: 'none-left' });
  const view = await system.client.result({ agent: 'cautious', key: 'none-left' });
  expect(view.result).toBe('topped up');
  expect(failed.asked('t1.model')).toEqual({ first: 2, second: 1, third: 1 });
});

test('the next turn begins where this one was answered', async () => {
  models.second.answer((response, { body }) => {
    const turns = (body['messages'] as { role: string }[]).filter(({ role }) => role === 'tool');
    const answer = chatAnswer('done', turns.length === 0 ? { label: 'fallback' } : undefined);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  const { view, asked, scope } = await run('next-turn');
  expect(view.result).toBe('done');
  expect(asked('t1.model')).toEqual({ first: 1, second: 1, third: 0 });
  expect(asked('t2.model')).toEqual({ first: 0, second: 1, third: 0 });
  const second = await system.ledger.step(scope, 't2.model');
  expect(second).toMatchObject({ name: 'first', result: { answeredBy: 'second' } });
});

test('an answer is shared by the first model’s request, whichever model gave it', async () => {
  models.second.reply(200, chatAnswer('from the second'));
  const views = [];
  for (const key of ['shared-1', 'shared-2']) {
    await system.client.start({ agent: 'frugal', key, input: 'the same' });
    views.push(await system.client.result({ agent: 'frugal', key }));
  }
  expect(views.map(({ result }) => result)).toEqual(['from the second', 'from the second']);
  expect(views.map(({ usage }) => usage?.inputTokens)).toEqual([100, 0]);
});

test('an endpoint that this worker does not know leaves the step to another worker', async () => {
  await worker.stop();
  const { first: _first, ...others } = JSON.parse(models.env.TEST_MODELS) as Record<string, object>;
  const old = await system.startWorker({ TEST_MODELS: JSON.stringify(others) });
  models.first.reply(200, chatAnswer('from the new worker'));
  const { workflowId } = await system.client.start({ agent: 'cautious', key: 'old', input: 'x' });
  const scope = await system.scopeOf(workflowId);
  const errors = async () => (await system.ledger.step(scope, 't1.model'))?.errors ?? [];
  await eventually(async () =>
    expect(await errors()).toContainEqual(
      expect.objectContaining({ code: 'model.unknown_endpoint' }),
    ),
  );
  await old.stop();
  worker = await system.startWorker(models.env);
  const view = await system.client.result({ agent: 'cautious', key: 'old' });
  expect(view.result).toBe('from the new worker');
  expect(await system.ledger.step(scope, 't1.model')).toMatchObject({ unknownAttempts: 0 });
});
