import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  askToSpend,
  decideOnce,
  decideUntilTold,
  runPath,
  untilAsked,
  untilCompleted,
} from './decide-over-http.ts';
import type { NextAction } from '../../explain/next-actions.ts';
import { startHttpSuite, type HttpSuite } from './support/http-suite.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import { calls, script } from '../../../../test/support/system.ts';

let suite: HttpSuite;

beforeAll(async () => {
  suite = await startHttpSuite();
  await suite.system.startWorker();
});
afterAll(() => suite.close());

const approve = { decision: 'approve' };

describe('after the end of its run', () => {
  test('a decision that counted is answered 200 when it is repeated, by whomever', async () => {
    await askToSpend(suite, 'ended');
    const first = await decideOnce(suite, 'ended', approve);
    expect(first).toMatchObject({ status: 200, body: { outcome: 'recorded', by: 'ann' } });
    await untilCompleted(suite, 'ended');
    const { decidedAt } = first.body;
    for (const more of [{}, { round: 1 }, { by: 'bob' }]) {
      expect(await decideOnce(suite, 'ended', { ...approve, ...more })).toEqual({
        status: 200,
        body: { outcome: 'repeated', decision: 'approve', by: 'ann', decidedAt },
      });
    }
    expect(suite.system.counter.requests('spend:ended')).toBe(1);
  });

  test('another decision is told which one stands, and one that nobody asked for that it is none', async () => {
    await askToSpend(suite, 'otherwise');
    await decideOnce(suite, 'otherwise', approve);
    await untilCompleted(suite, 'otherwise');
    const denied = await decideOnce(suite, 'otherwise', { decision: 'deny' });
    expect(denied).toMatchObject({ status: 409, body: { code: 'decision.conflict' } });
    expect(denied.body['detail']).toMatch(/^ann .*approve/);
    for (const decision of [{ decision: 'happened' }, { ...approve, round: 2 }]) {
      expect(await decideOnce(suite, 'otherwise', decision)).toMatchObject({
        status: 409,
        body: { code: 'decision.not_asked' },
      });
    }
  });

  test('what was said to have happened is repeated with its result, and with another is a conflict', async () => {
    suite.system.counter.drop('send:said');
    const input = script(calls(['send', { label: 'said' }]), { say: 'ok' });
    await suite.start('"said"', { input });
    await untilAsked(suite, 'said');
    const happened = { decision: 'happened', result: { id: 7 } };
    expect((await decideOnce(suite, 'said', happened)).status).toBe(200);
    await untilCompleted(suite, 'said');
    expect(await decideOnce(suite, 'said', happened)).toMatchObject({
      status: 200,
      body: { outcome: 'repeated' },
    });
    const other = { ...happened, result: { id: 8 } };
    expect((await decideOnce(suite, 'said', other)).body['code']).toBe('decision.conflict');
  });
});

test('an approval may bring other arguments: the steps show both, and another one is told what stands', async () => {
  const label = 'edited';
  const input = script(calls(['pay', { label, amount: 300 }]), { say: 'ok' });
  await suite.start(`"${label}"`, { input }, { agent: 'editor' });
  const path = `/v1/runs/agent-editor-${label}`;
  const read = async (of: string) =>
    (await (await suite.send('GET', `${path}${of}`)).json()) as Record<string, unknown>;
  await eventually(async () => {
    expect((await read(''))['waiting']).toMatchObject([{ step: 't1.c0', editable: true }]);
  });
  const decide = async (args: unknown, by = 'ann') => {
    const body = { decision: 'approve', by, arguments: args };
    const answer = await suite.send('POST', `${path}/steps/t1.c0/decision`, { body });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  for (const wrong of [{ label }, { label, amount: '200' }, ['200'], null, 200]) {
    expect(await decide(wrong)).toMatchObject({ status: 400 });
  }
  const args = { label, amount: 200 };
  const told = {
    decision: 'approve',
    by: 'ann',
    approved: JSON.stringify(args),
  };
  expect(await decide(args)).toMatchObject({ status: 200, body: { ...told, outcome: 'recorded' } });
  await eventually(async () => expect((await read(''))['status']).toBe('completed'));
  expect(await decide(args)).toMatchObject({ status: 200, body: { ...told, outcome: 'repeated' } });
  const other = await decide({ label, amount: 1 }, 'bob');
  expect(other).toMatchObject({ status: 409, body: { code: 'decision.conflict' } });
  expect(other.body['detail']).toContain(`ann has already decided`);
  expect(other.body['detail']).toContain(JSON.stringify(args));
  expect(suite.system.counter.requests(`pay:${label}:200`)).toBe(1);
  expect(suite.system.counter.requests(`pay:${label}:300`)).toBe(0);
  expect(await read('/steps')).toMatchObject({
    steps: [
      {},
      { id: 't1.c0', edited: { asked: { label, amount: 300 }, approved: args, by: 'ann' } },
      {},
    ],
    questions: [{ step: 't1.c0', edited: true }],
  });
});

test('what can be done next is there as data: what answers a question, then what came of it', async () => {
  const next = async () => {
    const answer = await suite.send('GET', `${runPath('next')}/steps`);
    return ((await answer.json()) as { next: NextAction[] }).next;
  };
  const [question] = await askToSpend(suite, 'next');
  expect(await next()).toEqual([
    {
      kind: 'answer',
      commands: [
        { name: 'approve', options: [], decision: 'approve' },
        { name: 'deny', options: [], decision: 'deny' },
      ],
      step: 't1.c0',
      steps: [],
      until: question?.deadline,
      after: null,
    },
    {
      kind: 'cancel',
      commands: [{ name: 'cancel', options: [], decision: null }],
      step: null,
      steps: [],
      until: null,
      after: null,
    },
  ]);
  await decideOnce(suite, 'next', approve);
  await untilCompleted(suite, 'next');
  expect((await next()).map(({ kind }) => kind)).toEqual(['nothing', 'result']);
});

test('a run that failed says what a resume keeps and what it repeats, step by step', async () => {
  suite.system.counter.fail('charge:failed-next');
  const label = 'failed-next';
  const input = script(calls(['look', { label }], ['charge', { label }]), { say: 'ok' });
  await suite.start(`"${label}"`, { input });
  const seen = await eventually(async () => {
    const answer = await suite.send('GET', `${runPath(label)}/steps`);
    const found = (await answer.json()) as {
      status: string;
      keyExpiresAt: string | null;
      next: NextAction[];
    };
    if (found.status !== 'failed') throw new Error(`The run is ${found.status}`);
    return found;
  });
  expect(seen.next).toMatchObject([
    { kind: 'mend', commands: [] },
    {
      kind: 'resume',
      commands: [{ name: 'resume' }],
      steps: [
        { fate: 'kept', ids: ['t1.model', 't1.c0'] },
        { fate: 'run-again', ids: ['t1.c1'] },
      ],
      until: seen.keyExpiresAt,
    },
    { kind: 'forget', steps: [{ fate: 'maybe-made-again', ids: ['t1.c1'] }] },
  ]);
});

test('many decisions at once are each told the truth', async () => {
  const labels = Array.from({ length: 20 }, (_, i) => `many-${i}`);
  await Promise.all(labels.map((label) => askToSpend(suite, label)));
  // Each twice, as by a client that repeats, or by two people.
  const told = await Promise.all(
    [...labels, ...labels].map((label) => decideUntilTold(suite, label, approve)),
  );
  expect(new Set(told.map(({ status }) => status))).toEqual(new Set([200]));
  await Promise.all(labels.map((label) => untilCompleted(suite, label)));
  const again = await Promise.all(labels.map((label) => decideOnce(suite, label, approve)));
  expect(new Set(again.map(({ body }) => body['outcome']))).toEqual(new Set(['repeated']));
  for (const label of labels) expect(suite.system.counter.requests(`spend:${label}`)).toBe(1);
});
