import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  AGENT_RUN,
  DECIDE_UPDATE,
  SETTLED_SIGNAL,
  TASK_QUEUE,
} from '../../../src/contract/names.ts';
import { completion, toolCall } from '../../model/bodies.ts';
import { startEndpoint, type Endpoint } from '../../model/http-endpoint.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestSystem, type TestSystem, type TestWorker } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

/** Half of a pair, as services leave that cut texts: no UTF-8 encodes it. */
const HALF = '\ud83d';
/** Wherever it is cut, half of the cuts leave one. */
const PAIRS = `x${'👍'.repeat(3_000)}`;

let system: TestSystem;
let endpoint: Endpoint;
let worker: TestWorker;

beforeAll(async () => {
  [system, endpoint] = await Promise.all([startTestSystem(), startEndpoint()]);
  worker = await system.startWorker({ OPENAI_BASE_URL: endpoint.url });
});
afterAll(async () => {
  await system.close();
  await endpoint.stop();
});

/** The model's answers, one a request, and then "ok". */
function answers(...bodies: { status?: number; body: unknown }[]): void {
  endpoint.answer((response) => {
    const { status = 200, body } = bodies.shift() ?? {
      body: completion({ content: 'ok' }, 'stop'),
    };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
}

function start(options: { model?: string } = {}) {
  return system.client.start({ agent: 'tester', input: 'go', options });
}

const asks = (name: string, args: unknown, more: object = {}) => ({
  body: completion(
    { content: null, tool_calls: [toolCall(name, JSON.stringify(args))] },
    'tool_calls',
    more,
  ),
});

/** It answers, and it is the one that was there before. */
async function goesOn(): Promise<void> {
  answers();
  const { key } = await start();
  expect(await untilEnd(system.client, { agent: 'tester', key })).toMatchObject({
    status: 'completed',
  });
  expect(await Promise.race([worker.ended, Promise.resolve('goes on')])).toBe('goes on');
}

describe.each([
  ['half of a pair', HALF],
  ['many pairs', PAIRS],
])('%s does not end the worker as', (_name, text) => {
  const ends: Record<string, { status?: number; body: unknown }[]> = {
    "the model's answer": [{ body: completion({ content: text }, 'stop') }],
    'the name of the model that answered': [
      { body: completion({ content: 'ok' }, 'stop', { model: text }) },
    ],
    'the reason why it ended': [{ body: completion({ content: 'ok' }, text) }],
    'the name of a tool': [asks(text, {})],
    'an argument': [asks('look', { label: text })],
    "a member's name": [asks('look', { [text]: 1 })],
    'a summary, and what a tool with an argument of it throws': [
      asks('look', { label: `${'y'.repeat(110)}${text}` }),
    ],
    'what a tool throws': [asks('odd', { how: 'half-a-pair' })],
    "an endpoint's error": [
      { status: 400, body: { error: { message: text, code: text, type: text, param: text } } },
    ],
    "an endpoint's error that is none": [{ status: 418, body: { [text]: text } }],
  };

  test.each(Object.keys(ends))('%s', async (name) => {
    answers(...(ends[name] ?? []));
    const { key } = await start();
    const { status } = await untilEnd(system.client, { agent: 'tester', key });
    expect(['completed', 'failed']).toContain(status);
    await goesOn();
  });

  test('the model that a caller names', async () => {
    answers();
    const started = start({ model: text.slice(0, 200) });
    const end = await started.then(
      ({ key }) => untilEnd(system.client, { agent: 'tester', key }),
      (error: unknown) => error,
    );
    expect(end).toMatchObject({});
    await goesOn();
  });

  test('what a person decides, in every member, by the client and past it', async () => {
    answers(asks('spend', { label: 'x'.repeat(105) + '👍'.repeat(10), amount: 100 }));
    const { key, workflowId } = await start();
    const run = { agent: 'tester', key };
    await eventually(async () =>
      expect((await system.client.describe(run)).status).toBe('waiting'),
    );
    const approval = { step: 't1.c0', decision: 'approve', by: 'ann' } as const;
    const handle = system.temporal.workflow.getHandle(workflowId);
    for (const wrong of [
      { ...approval, step: text },
      { ...approval, by: text },
      { ...approval, comment: text },
      { ...approval, decision: text as 'approve' },
    ]) {
      await expect(system.client.decide(run, wrong)).rejects.toHaveProperty('code');
      const sent = handle.executeUpdate(DECIDE_UPDATE, { args: [wrong] });
      await sent.catch(() => undefined);
    }
    await handle.signal(SETTLED_SIGNAL, text);
    await system.client.decide(run, approval);
    expect(await untilEnd(system.client, run)).toMatchObject({ status: 'completed' });
    await goesOn();
  });

  test.each(['agent', 'tenant', 'key', 'input'])(
    'the %s of a run that somebody starts past the client',
    async (member) => {
      answers();
      const queues = { workflows: TASK_QUEUE, model: TASK_QUEUE, tools: TASK_QUEUE };
      const input = { v: 1, tenant: 'default', agent: 'tester', key: 'k', input: 'go', queues };
      const handle = await system.temporal.workflow.start(AGENT_RUN, {
        workflowId: `agent-tester-past-${member}-${text.length}`,
        taskQueue: TASK_QUEUE,
        args: [{ ...input, searchAttributes: false, [member]: text }],
      });
      await handle.result().catch(() => undefined);
      const { status } = await handle.describe();
      expect(['COMPLETED', 'FAILED']).toContain(status.name);
      await goesOn();
    },
  );
});

test('what a tool logs and throws is one line each in the log of its worker, escaped', async () => {
  answers(asks('odd', { how: 'lines' }));
  const { key } = await start();
  expect(await untilEnd(system.client, { agent: 'tester', key })).toMatchObject({
    status: 'failed',
  });
  const lines = () =>
    worker
      .output()
      .split('\n')
      .filter((line) => line.includes('Refunded'));
  // Two attempts that log and throw, and the run's end.
  await eventually(() => expect(lines()).toHaveLength(5));
  for (const line of lines()) {
    expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z \[(INFO|WARN)\] /);
    expect(line).not.toMatch(/[\p{Cc}\u202e]/u);
  }
});
