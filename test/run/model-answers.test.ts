import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonValue } from '../../src/contract/json-value.ts';
import { startGateway, type Gateway } from '../support/model/gateway.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';

/** What an answer makes of a run, through the whole stack; `docs/models.md` has the table. */
let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(async () => {
  await system.close();
});

async function play(...answers: JsonValue[]) {
  const { key, workflowId } = await system.client.start({
    agent: 'tester',
    input: script(...answers),
    options: { model: 'scripted' },
  });
  const view = await system.client.result({ agent: 'tester', key });
  const scope = await system.scopeOf(workflowId);
  const { byToken, byKey } = await system.modelRequests();
  const ofStep = (step: string) => byToken[`${scope}:${step}`] ?? 0;
  return {
    view,
    requests: ofStep('t1.model'),
    requestsOf: ofStep,
    keys: Object.keys(byKey).filter((each) => each.startsWith(`${scope}:t1.model~`)),
    step: await system.ledger.step(scope, 't1.model'),
    scope,
  };
}

/** What is asked for, and what comes of it when it is so each time. */
interface Refused {
  answer: JsonValue;
  code: string;
  /** Requests in all: each is paid for. */
  requests: number;
  /** Whole answers that were unusable; default: as many as requests. */
  rounds?: number;
}

const always = (fault: Record<string, JsonValue>): JsonValue => ({
  say: 'never',
  fault: { ...fault, times: 'always' },
});
const status = (code: number, body: JsonValue): JsonValue =>
  always({ kind: 'status', status: code, body });

const REFUSED: [string, Refused][] = [
  [
    'error in the middle',
    { answer: { say: 'ha', finish: 'error' }, code: 'model.incomplete', requests: 3 },
  ],
  [
    'a full context',
    { answer: { say: 'ha', finish: 'model_length' }, code: 'model.truncated', requests: 1 },
  ],
  [
    'no resources',
    {
      answer: { say: 'ha', finish: 'insufficient_system_resource' },
      code: 'model.incomplete',
      requests: 3,
    },
  ],
  [
    'an unknown end',
    { answer: { say: 'ha', finish: 'because' }, code: 'model.incomplete', requests: 2 },
  ],
  ['null', { answer: {}, code: 'model.bad_answer', requests: 3 }],
  ['a blank text', { answer: { say: ' \n ' }, code: 'model.bad_answer', requests: 3 }],
  [
    'a legacy function_call',
    {
      answer: {
        calls: [{ name: 'look', arguments: {} }],
        legacyCall: true,
        finish: 'function_call',
      },
      code: 'model.bad_answer',
      requests: 3,
    },
  ],
  [
    'a malformed call',
    {
      answer: { finish: 'function_call_filter: MALFORMED_FUNCTION_CALL' },
      code: 'model.bad_answer',
      requests: 3,
    },
  ],
  [
    'a misreading',
    { answer: status(200, { hello: 'world' }), code: 'model.bad_answer', requests: 2 },
  ],
  [
    'HTTP 402',
    {
      answer: status(402, { error: { message: 'no credit' } }),
      code: 'model.quota_exhausted',
      requests: 1,
      rounds: 0,
    },
  ],
  [
    '402 in a 200 body',
    {
      answer: always({ kind: 'error-in-body', code: 402, message: 'no credit' }),
      code: 'model.quota_exhausted',
      requests: 1,
    },
  ],
  [
    'a filtered prompt',
    { answer: always({ kind: 'prompt-filtered' }), code: 'model.refused', requests: 1, rounds: 0 },
  ],
  [
    'a call that Groq could not read',
    { answer: always({ kind: 'tool-use-failed' }), code: 'model.bad_answer', requests: 3 },
  ],
  [
    'a gateway that has another body under the key',
    { answer: always({ kind: 'key-conflict' }), code: 'model.rejected', requests: 1, rounds: 0 },
  ],
  [
    'a wait of hours',
    {
      answer: always({
        kind: 'rate-limit',
        retryAfter: 'none',
        message: 'Please retry in 10h17m20s.',
      }),
      code: 'model.rate_limited',
      requests: 1,
      rounds: 0,
    },
  ],
  ['a refusal', { answer: { refusal: 'I must not.' }, code: 'model.refused', requests: 1 }],
  [
    'a call as text',
    {
      answer: { say: '<tool_call>{"name":"look","arguments":{"label":"a"}}</tool_call>' },
      code: 'model.bad_answer',
      requests: 2,
    },
  ],
  [
    'an end at the limit',
    { answer: { say: 'ha', finish: 'length' }, code: 'model.truncated', requests: 1 },
  ],
];

describe('an answer that is none fails the run, and is not asked for more often than may help:', () => {
  test.each(REFUSED)('%s', async (_name, { answer, code, requests, rounds = requests }) => {
    const played = await play(answer);
    expect(played.view).toMatchObject({ status: 'failed', error: { code } });
    expect(played.requests).toBe(requests);
    expect(played.step).toMatchObject({ state: 'failed', round: rounds, unusableAnswers: rounds });
    // Each round has a token of its own; attempts without a whole answer share theirs.
    expect(played.keys).toHaveLength(Math.max(1, rounds));
  });
});

test('what unusable answers cost is counted, in the ledger and in the failed run', async () => {
  const usage = { inputTokens: 1_000, outputTokens: 100 };
  const { view, step } = await play({ say: ' ', usage });
  const paid = { inputTokens: 3_000, outputTokens: 300, costUsd: 0.00135 };
  expect(step).toMatchObject({ round: 3, ...paid });
  expect(view.usage).toMatchObject({ modelCalls: 0, ...paid });
});

test('and in the run that a later answer completes', async () => {
  const body = {
    choices: [{ message: { role: 'assistant', content: '' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1_000, completion_tokens: 100 },
    model: 'scripted',
  };
  const { view, step } = await play({
    say: 'ok',
    fault: { kind: 'status', status: 200, body },
    usage: { inputTokens: 10, outputTokens: 1 },
  });
  const paid = { inputTokens: 1_010, outputTokens: 101, costUsd: 0.0004545 };
  expect(view).toMatchObject({ status: 'completed', result: 'ok' });
  expect(step).toMatchObject({ round: 1, ...paid });
  expect(view.usage).toMatchObject({ modelCalls: 1, ...paid });
});

test('a resumed run asks as often as a new one, and its cost is that of both', async () => {
  const usage = { inputTokens: 1_000, outputTokens: 100 };
  const input = script({ say: ' ', usage });
  const run = { agent: 'tester', input, options: { model: 'scripted' } };
  const { key, workflowId } = await system.client.start(run);
  await system.client.result({ agent: 'tester', key });
  await system.client.start({ ...run, key, retryFailed: true });
  const view = await system.client.result({ agent: 'tester', key });
  expect(view).toMatchObject({ status: 'failed', error: { code: 'model.bad_answer' } });
  const paid = { inputTokens: 6_000, outputTokens: 600, costUsd: 0.0027 };
  expect(view.usage).toMatchObject(paid);
  // A resumed run keeps the scope of the first, which a description of the new one does not tell.
  const scope = await scopeOfFirst(workflowId);
  expect(await system.ledger.step(scope, 't1.model')).toMatchObject({
    unusableAnswers: 6,
    ...paid,
  });
});

/** The scope of the first run under a key. */
async function scopeOfFirst(workflowId: string): Promise<string> {
  const { rows } = await system.sql.query<{ scope: string }>(
    'SELECT scope FROM agent_once.steps WHERE workflow_id = $1 LIMIT 1',
    [workflowId],
  );
  return rows[0]?.scope ?? '';
}

test('a refusal is told in the model’s own words', async () => {
  const { view } = await play({ refusal: 'I must not refund that.' });
  expect(view.error?.message).toContain('I must not refund that.');
});

test('a wait of hours says how long it is, and what to do', async () => {
  const { view } = await play(
    always({ kind: 'rate-limit', retryAfter: 'none', message: 'Please retry in 10h17m20s.' }),
  );
  expect(view.error?.message).toMatch(/about 618 min.*resume the run/);
});

describe('an odd answer is read, and asked for once:', () => {
  test.each<[string, JsonValue, JsonValue]>([
    ['the end null', { say: 'ok', finish: null }, 'ok'],
    ['the end eos', { say: 'ok', finish: 'eos' }, 'ok'],
    [
      'thoughts and text in parts',
      {
        parts: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
          { type: 'text', text: 'ok' },
        ],
      },
      'ok',
    ],
    ['JSON as text', { say: 'ok', fault: { kind: 'text-plain' } }, 'ok'],
    ['an event stream', { say: 'ok', fault: { kind: 'event-stream' } }, 'ok'],
    ['thinking in the text', { say: '<think>hm</think>\nok' }, 'ok'],
  ])('%s', async (_name, answer, result) => {
    const { view, requests } = await play(answer);
    expect(view).toMatchObject({ status: 'completed', result });
    expect(requests).toBe(1);
  });

  test('arguments as an object', async () => {
    const { view, requests } = await play(
      { calls: [{ name: 'charge', arguments: { label: 'as-object' }, argumentsAs: 'object' }] },
      { say: 'ok' },
    );
    expect(view).toMatchObject({ status: 'completed', result: 'ok' });
    expect(requests).toBe(1);
    expect(system.counter.effects('charge:as-object')).toBe(1);
  });

  test('an event stream that asks for a tool', async () => {
    const { view, requests } = await play(
      {
        calls: [{ name: 'charge', arguments: { label: 'streamed' } }],
        fault: { kind: 'event-stream' },
      },
      { say: 'ok' },
    );
    expect(view).toMatchObject({ status: 'completed', result: 'ok' });
    expect(requests).toBe(1);
    expect(system.counter.effects('charge:streamed')).toBe(1);
  });
});

test('calls that an endpoint names alike in all turns are told apart', async () => {
  const same = (label: string): JsonValue => ({
    calls: [
      { name: 'look', arguments: { label } },
      { name: 'look', arguments: { label: `${label}-too` } },
    ],
    ids: 'same',
  });
  const { view, scope } = await play(same('first'), same('second'), { say: 'ok' });
  expect(view).toMatchObject({ status: 'completed', result: 'ok' });
  const [last] = await system.receivedBy(`${scope}:t3.model`);
  const { messages = [] } = (last?.body ?? {}) as { messages?: { tool_call_id?: string }[] };
  const answered = messages.flatMap(({ tool_call_id: id }) => id ?? []);
  expect(answered).toEqual(['call_1_0', 'call_1_1', 'call_2_0', 'call_2_1']);
});

test('a null character in arguments goes back to the model, and PostgreSQL never sees it', async () => {
  const { view, scope } = await play(
    calls(['note', { label: 'a\0b' }]),
    calls(['note', { label: 'without-null' }]),
    { say: 'ok' },
  );
  expect(view).toMatchObject({ status: 'completed', result: 'ok' });
  const [second] = await system.receivedBy(`${scope}:t2.model`);
  expect(JSON.stringify(second?.body)).toMatch(/arguments have a null character/);
  const { rows } = await system.sql.query('SELECT label FROM notes WHERE token LIKE $1', [
    `${scope}%`,
  ]);
  expect(rows).toEqual([{ label: 'without-null' }]);
});

describe('a gateway that gives the first answer again for the same key', () => {
  let own: TestSystem;
  let gateway: Gateway;
  beforeAll(async () => {
    own = await startTestSystem();
    gateway = await startGateway(own.model.url);
    await own.startWorker({ OPENAI_BASE_URL: gateway.url });
  });
  afterAll(() => Promise.all([own.close(), gateway.stop()]));

  test('does not give an unusable one for ever', async () => {
    const blank = {
      choices: [{ message: { role: 'assistant', content: '' }, finish_reason: 'stop' }],
    };
    const { key } = await own.client.start({
      agent: 'tester',
      input: script({ say: 'ok', fault: { kind: 'status', status: 200, body: blank } }),
    });
    const view = await own.client.result({ agent: 'tester', key });
    expect(view).toMatchObject({ status: 'completed', result: 'ok' });
    expect(await own.modelRequests()).toMatchObject({ requests: 2 });
    expect(gateway.replayed()).toBe(0);
  });
});

/** The same table in the other API, as far as it has the lines. */
describe('in Responses', () => {
  let responses: TestSystem;
  beforeAll(async () => {
    responses = await startTestSystem();
    await responses.startWorker({ OPENAI_API: 'responses' });
  });
  afterAll(() => responses.close());

  const playThere = async (...answers: JsonValue[]) => {
    const { key, workflowId } = await responses.client.start({
      agent: 'tester',
      input: script(...answers),
    });
    const view = await responses.client.result({ agent: 'tester', key });
    const { byToken } = await responses.modelRequests();
    return { view, requests: byToken[`${await responses.scopeOf(workflowId)}:t1.model`] };
  };

  test.each<[string, JsonValue, string, number]>([
    ['a limit', { say: 'ha', finish: 'length' }, 'model.truncated', 1],
    ['a filter', { say: 'ha', finish: 'content_filter' }, 'model.refused', 1],
    ['an unknown reason', { say: 'ha', finish: 'because' }, 'model.incomplete', 2],
    ['a refusal', { refusal: 'I must not.' }, 'model.refused', 1],
    ['nothing', {}, 'model.bad_answer', 3],
    ['something that has not ended', { say: 'ha', finish: 'in_progress' }, 'model.bad_answer', 2],
    ['402 in a 200 body', always({ kind: 'error-in-body', code: 402 }), 'model.quota_exhausted', 1],
  ])('%s is no answer', async (_name, answer, code, requests) => {
    expect(await playThere(answer)).toMatchObject({
      view: { status: 'failed', error: { code } },
      requests,
    });
  });

  test.each<[string, JsonValue]>([
    ['an event stream', { say: 'ok', fault: { kind: 'event-stream' } }],
    ['JSON as text', { say: 'ok', fault: { kind: 'text-plain' } }],
    ['a commentary before the answer', { commentary: 'Let me see.', say: 'ok' }],
  ])('%s is read', async (_name, answer) => {
    expect(await playThere(answer)).toMatchObject({
      view: { status: 'completed', result: 'ok' },
      requests: 1,
    });
  });
});
