import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AgentOnceError } from '../../src/contract/errors.ts';
import type { Decision } from '../../src/contract/decision.ts';
import { RECORD_DECISION } from '../../src/contract/names.ts';
import { eventually } from '../support/eventually.ts';
import { startOwnTemporal, type OwnTemporal } from '../support/own-temporal.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';
import { untilEnd } from '../support/until-end.ts';

let temporal: OwnTemporal;
let system: TestSystem;

beforeAll(async () => {
  // A server that asks for it after a few turns, and not after some thousand events.
  temporal = await startOwnTemporal({ 'limit.historyCount.suggestContinueAsNew': 30 });
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(async () => {
  await system.close();
  await temporal.stop();
});

test('a long run continues as new, and stays one run: its key, its usage, its steps', async () => {
  const looks = Array.from({ length: 7 }, (_, i) => calls(['look', { label: `long-${i}` }]));
  const request = { agent: 'tester', key: 'long', input: script(...looks, { say: 'at last' }) };
  const { workflowId, runId } = await system.client.start({ ...request, limits: { priority: 2 } });
  const view = await untilEnd(system.client, request);
  expect(view).toMatchObject({
    status: 'completed',
    result: 'at last',
    usage: { turns: 8, modelCalls: 8, toolCalls: 7 },
  });
  expect(view.runId).not.toBe(runId);
  const current = await system.temporal.workflow.getHandle(workflowId).describe();
  const first = await system.temporal.workflow.getHandle(workflowId, runId).describe();
  expect(current.memo).toEqual(first.memo);
  expect(current.raw.workflowExecutionInfo?.priority).toMatchObject({ priorityKey: 2 });
  expect(current.searchAttributes).toMatchObject({ AgentName: ['tester'] });
  expect(await system.client.start(request)).toMatchObject({ replayed: true, result: 'at last' });
  await expect(system.client.start({ ...request, input: 'other' })).rejects.toMatchObject({
    code: 'key.conflict',
  });
  const scope = first.raw.workflowExecutionInfo?.firstRunId ?? '';
  expect(await system.ledger.steps(scope)).toHaveLength(15);
});

test('a cancellation is not lost when a tool ends well in spite of it', async () => {
  const before = Array.from({ length: 4 }, (_, i) => calls(['look', { label: `before-${i}` }]));
  const request = {
    agent: 'tester',
    key: 'cancelled',
    input: script(
      ...before,
      calls(['deaf', { label: 'can', ms: 6_000 }]),
      calls(['look', { label: 'after' }]),
      { say: 'finished anyway' },
    ),
  };
  await system.client.start(request);
  await eventually(() => expect(system.counter.requests('deaf:can')).toBe(1));
  await system.client.cancel(request);
  const view = await untilEnd(system.client, request);
  expect(view.status).toBe('cancelled');
  expect(system.counter.requests('look:after')).toBe(0);
});

test('a long run that is resumed with another model keeps it when it continues as new', async () => {
  const looks = Array.from({ length: 6 }, (_, i) => calls(['look', { label: `other-${i}` }]));
  const request = {
    agent: 'tester',
    key: 'other',
    input: script(...looks, calls(['charge', { label: 'other' }]), { say: 'at last' }),
  };
  system.counter.fail('charge:other');
  const { workflowId } = await system.client.start(request);
  const failed = await untilEnd(system.client, request);
  expect(failed).toMatchObject({ status: 'failed', error: { code: 'tool.failed' } });
  const scope = await system.scopeOf(workflowId);

  // What failed is a later execution of the run: it has the first request's options, not its input.
  system.counter.heal('charge:other');
  const limits = { reasoningEffort: 'low' };
  const other = { ...request, options: { model: 'model-b' }, limits, retryFailed: true };
  const resumed = await system.client.start(other);
  expect(resumed).toMatchObject({ resumed: true, replayed: false });
  const view = await untilEnd(system.client, request);
  expect(view).toMatchObject({ status: 'completed', result: 'at last' });
  expect(view.runId).not.toBe(resumed.runId);
  const [last, ...more] = await system.receivedBy(`${scope}:t8.model`);
  expect(last?.body).toMatchObject({ model: 'model-b', reasoning_effort: 'low' });
  expect(more).toEqual([]);
});

describe('a run whose turn with a question is the last of an execution', () => {
  const STEP = 't3.c0';
  type Run = { agent: string; key: string; runId: string; scope: string };

  /** It waits for an answer, and its execution has grown to where it is to continue as new. */
  async function asking(key: string): Promise<Run> {
    const run = { agent: 'tester', key };
    const looks = ['1', '2'].map((label) => calls(['look', { label: `${key}-${label}` }]));
    const spend = calls(['spend', { label: key, amount: 100 }]);
    const tail = calls(['look', { label: `${key}-tail` }]);
    const input = script(...looks, spend, tail, { say: 'at last' });
    system.counter.hold(`look:${key}-tail`);
    const { workflowId, runId } = await system.client.start({ ...run, input });
    await eventually(async () => {
      expect((await system.client.describe(run)).waiting).toMatchObject([{ step: STEP }]);
    });
    return { ...run, runId, scope: await system.scopeOf(workflowId) };
  }

  const answer = (run: Run, decision: Decision, by: string, runId?: string) =>
    system.client.decide(run, { step: STEP, decision, by, round: 1 }, { runId }).then(
      ({ outcome }) => outcome,
      (error: unknown) => {
        if (!(error instanceof AgentOnceError)) return error;
        return error.code === 'decision.not_asked' ? error.message : error.code;
      },
    );

  /** Its next execution is at work. */
  const untilContinued = (run: Run) =>
    eventually(() => expect(system.counter.requests(`look:${run.key}-tail`)).toBe(1));

  async function endOf(run: Run) {
    system.counter.letGo(`look:${run.key}-tail`);
    const view = await untilEnd(system.client, run);
    expect(system.counter.requests(`spend:${run.key}`)).toBe(1);
    return view;
  }

  /** Keeps answers from being recorded, until it is let go; resolves when one waits for that. */
  async function keepAnswersWaiting({ scope }: Run): Promise<() => Promise<void>> {
    const holder = await system.sql.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM agent_once.questions WHERE scope = $1 FOR UPDATE', [scope]);
    return async () => {
      await holder.query('COMMIT');
      holder.release();
    };
  }

  /** The answers that a run has taken, and of which nothing is recorded yet. */
  const untilTaken = (run: Run, count: number) =>
    eventually(async () => {
      const handle = system.temporal.workflow.getHandle(`agent-tester-${run.key}`, run.runId);
      const { pendingActivities } = (await handle.describe()).raw;
      const recording = pendingActivities?.filter(
        ({ activityType }) => activityType?.name === RECORD_DECISION,
      );
      expect(recording).toHaveLength(count);
    });

  const untilSpent = (run: Run) =>
    eventually(async () => {
      expect(await system.ledger.step(run.scope, STEP)).toMatchObject({ state: 'completed' });
    });

  test('an answer that comes too late is told what stands, also where it names the execution that asked', async () => {
    const run = await asking('late');
    expect(await answer(run, 'approve', 'ann', run.runId)).toBe('recorded');
    await untilContinued(run);
    expect((await system.client.describe(run)).runId).not.toBe(run.runId);
    expect(await answer(run, 'deny', 'bob')).toBe('decision.conflict');
    expect(await answer(run, 'deny', 'bob', run.runId)).toBe('decision.conflict');
    expect(await answer(run, 'approve', 'ann', run.runId)).toBe('repeated');
    expect(await endOf(run)).toMatchObject({ status: 'completed', result: 'at last' });
  });

  test('answers on their way when it is to continue as new are waited for, and told what stands', async () => {
    const run = await asking('meanwhile');
    system.counter.hold('spend:meanwhile');
    expect(await answer(run, 'approve', 'ann')).toBe('recorded');
    const letGo = await keepAnswersWaiting(run);
    const others = [answer(run, 'deny', 'bob'), answer(run, 'approve', 'eve')];
    await untilTaken(run, 2);
    system.counter.letGo('spend:meanwhile');
    await untilSpent(run);
    // Nothing is left to do in this execution but to answer.
    expect((await system.client.describe(run)).runId).toBe(run.runId);
    await letGo();
    expect(await Promise.all(others)).toEqual(['decision.conflict', 'repeated']);
    await untilContinued(run);
    expect((await system.client.describe(run)).runId).not.toBe(run.runId);
    expect(await endOf(run)).toMatchObject({ status: 'completed', result: 'at last' });
  });

  test('a cancellation meanwhile is not lost, nor is an answer on its way', async () => {
    const run = await asking('stopped');
    system.counter.hold('spend:stopped');
    expect(await answer(run, 'approve', 'ann')).toBe('recorded');
    const letGo = await keepAnswersWaiting(run);
    const other = answer(run, 'deny', 'bob');
    await untilTaken(run, 1);
    system.counter.letGo('spend:stopped');
    await untilSpent(run);
    await system.client.cancel(run);
    await letGo();
    expect(await other).toBe('decision.conflict');
    expect(await endOf(run)).toMatchObject({ status: 'cancelled', runId: run.runId });
    expect(system.counter.requests('look:stopped-tail')).toBe(0);
  });

  test('of many answers at that moment one counts, and each of the others is told which', async () => {
    const runs = await Promise.all(['storm-1', 'storm-2', 'storm-3'].map(asking));
    const told = await Promise.all(
      runs.map(async (run) => {
        const answers: Promise<unknown>[] = [];
        const ask = (times: number) => {
          for (let i = 0; i < times; i++)
            answers.push(answer(run, 'approve', `ann ${i}`, run.runId));
          for (let i = 0; i < times; i++) answers.push(answer(run, 'fail', `bob ${i}`, run.runId));
        };
        answers.push(answer(run, 'approve', 'first'));
        await answers[0];
        while (system.counter.requests(`look:${run.key}-tail`) === 0) {
          ask(3);
          await Promise.race(answers.slice(-6));
        }
        ask(3);
        return Promise.all(answers);
      }),
    );
    for (const [first, ...others] of told) {
      expect(first).toBe('recorded');
      expect(new Set(others)).toEqual(new Set(['repeated', 'decision.conflict']));
    }
    for (const run of runs) expect(await endOf(run)).toMatchObject({ status: 'completed' });
  });
});
