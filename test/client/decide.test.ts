import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunProgress, RunSummary } from '../../src/client/types.ts';
import type { DecisionInput, OpenQuestion } from '../../src/contract/decision.ts';
import { NO_USAGE } from '../../src/contract/run.ts';
import { codeOf, startClientSuite, type ClientSuite } from '../support/client-suite.ts';
import { eventually } from '../support/eventually.ts';
import { within } from '../support/within.ts';

let suite: ClientSuite;

beforeAll(async () => {
  suite = await startClientSuite();
});
afterAll(() => suite.close());

const approve: DecisionInput = { step: 't1.c0', decision: 'approve', by: 'ann' };

async function start() {
  const ref = { agent: 'support', key: `k-${randomUUID()}` };
  return { ref, started: await suite.client.start({ ...ref, input: 'x' }) };
}

describe('a decision is refused before anything is sent:', () => {
  const nowhere = { agent: 'support', key: 'no-such-key' };

  test.each(['', 't1', 't1.model', 't0.c0', 't1.c', 't1.c0 ', 'T1.c0', 't1.c-1', '../t1.c0'])(
    'step "%s"',
    async (step) => {
      expect(await codeOf(suite.client.decide(nowhere, { ...approve, step }))).toBe(
        'decision.invalid',
      );
    },
  );

  test.each([
    ['nobody', { by: ' ' }],
    ['a long name', { by: 'a'.repeat(201) }],
    ['a long comment', { comment: 'a'.repeat(2_001) }],
    ['a name with a null character', { by: 'ann\0' }],
    ['a name with a lone surrogate', { by: 'ann\ud800' }],
    ['a comment with a null character', { comment: '\0' }],
    ['a result with a lone surrogate', { decision: 'happened', result: { note: ['\udc00'] } }],
    ['a result of what has not happened', { result: 1 }],
    ['a large result', { decision: 'happened', result: 'a'.repeat(1024 * 1024) }],
  ] as [string, Partial<DecisionInput>][])('%s', async (_what, more) => {
    expect(await codeOf(suite.client.decide(nowhere, { ...approve, ...more }))).toBe(
      'decision.invalid',
    );
  });
});

test('about a run that there is not', async () => {
  const nowhere = { agent: 'support', key: 'no-such-key' };
  expect(await codeOf(suite.client.decide(nowhere, approve))).toBe('run.not_found');
});

test('about a run that has ended: nothing is decided', async () => {
  const { ref, started } = await start();
  await suite.worker.complete(started.workflowId, { output: 'done', usage: NO_USAGE });
  await suite.client.result(ref);
  expect(await codeOf(suite.client.decide(ref, approve))).toBe('decision.not_asked');
});

test('that no worker takes ends after a while, and says to repeat it', async () => {
  const { ref } = await start();
  const decision = within(suite.client.decide(ref, approve), () => 'the decision was given up');
  await expect(decision).rejects.toMatchObject({
    code: 'run.still_running',
    message: expect.stringMatching(/worker.*repeat/),
  });
});

test('whoever waits, lists or describes learns from the memo what a run asks, with no worker there', async () => {
  const question: OpenQuestion = {
    step: 't1.c0',
    kind: 'approval',
    round: 1,
    tool: 'issue_refund',
    summary: 'order 1042',
    askedAt: '2026-01-01T00:00:00.000Z',
    deadline: '2026-01-02T00:00:00.000Z',
    otherwise: 'fail',
    worker: null,
    claimedAt: null,
    error: null,
  };
  const ref = { agent: 'support', key: `k-${randomUUID()}` };
  await suite.temporal.workflow.start('agentRun', {
    workflowId: `agent-support-${ref.key}`,
    taskQueue: 'nobody-polls-it',
    memo: { waiting: [question] },
  });
  const view = { status: 'waiting', waiting: [question] };
  expect(await suite.client.describe(ref)).toMatchObject(view);
  const stop = new AbortController();
  const news: RunProgress[] = [];
  await suite.client
    .result(ref, {
      signal: stop.signal,
      onProgress: (progress) => {
        news.push(progress);
        stop.abort(new Error('heard'));
      },
    })
    .catch(() => undefined);
  expect(news).toEqual([
    { workflowId: `agent-support-${ref.key}`, hasWorker: expect.any(Boolean), waiting: [question] },
  ]);
  const lister = suite.clientWith({ searchAttributes: false });
  await eventually(async () => {
    const found: RunSummary[] = [];
    for await (const run of lister.list({ status: 'waiting' })) found.push(run);
    expect(found).toMatchObject([{ key: ref.key, ...view }]);
  });
  await suite.temporal.workflow.getHandle(`agent-support-${ref.key}`).terminate();
});
