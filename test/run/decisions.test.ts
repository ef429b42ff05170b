import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunView, StartRequest } from '../../src/client/types.ts';
import { eventually } from '../support/eventually.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';
import { untilEnd } from '../support/until-end.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(async () => {
  await system.close();
});

const started = async (
  ...answers: Parameters<typeof script>
): Promise<StartRequest & { key: string }> => {
  const request = { agent: 'tester', input: script(...answers) };
  const { key } = await system.client.start(request);
  return { ...request, key };
};

const untilWaiting = (run: { agent: string; key: string }): Promise<RunView> =>
  eventually(async () => {
    const view = await system.client.describe(run);
    if (view.status !== 'waiting') throw new Error(`The run is ${view.status}`);
    return view;
  });

const endOf = (run: { agent: string; key: string }) => untilEnd(system.client, run);

describe('a tool at most once whose connection is cut after its effect', () => {
  const send = (label: string) => [calls(['send', { label }]), { say: 'ok' }] as const;
  const waitingRun = async (label: string) => {
    system.counter.drop(`send:${label}`);
    const run = await started(...send(label));
    const view = await untilWaiting(run);
    return { run, view, label: `send:${label}` };
  };

  test('stops and asks, and says what it knows of the attempt', async () => {
    const { run, view } = await waitingRun('asks');
    expect(view.waiting).toEqual([
      {
        step: 't1.c0',
        kind: 'outcome',
        round: 1,
        tool: 'send',
        summary: 'send asks',
        askedAt: expect.stringMatching(/Z$/),
        deadline: expect.stringMatching(/Z$/),
        otherwise: 'fail',
        worker: expect.stringMatching(/^\d+@/),
        claimedAt: expect.stringMatching(/Z$/),
        error: expect.stringContaining('fetch failed'),
      },
    ]);
    const listed: string[] = [];
    await eventually(async () => {
      for await (const { key } of system.client.list({ status: 'waiting' })) listed.push(key);
      expect(listed).toContain(run.key);
    });
    const state = await system.client.state(run);
    expect(state).toMatchObject({ status: 'waiting', waiting: [{ step: 't1.c0' }] });
    await system.client.cancel(run);
    expect(await endOf(run)).toMatchObject({ status: 'cancelled', waiting: [] });
  });

  test('happened: the run goes on with what the person says', async () => {
    const { run, label } = await waitingRun('happened');
    const answer = {
      step: 't1.c0',
      decision: 'happened',
      result: { id: 7 },
      by: 'ann',
      comment: 'seen in the outbox',
    } as const;
    const first = await system.client.decide(run, answer);
    expect(first).toMatchObject({ outcome: 'recorded', by: 'ann' });
    expect(await endOf(run)).toMatchObject({ status: 'completed', result: 'ok' });
    expect(system.counter.requests(label)).toBe(1);
    const { raw } = await system.temporal.workflow.getHandle(`agent-tester-${run.key}`).describe();
    const scope = raw.workflowExecutionInfo?.firstRunId ?? '';
    expect(await system.ledger.step(scope, 't1.c0')).toMatchObject({
      result: { id: 7 },
      knownBy: 'person',
      attempts: 1,
      unknownAttempts: 1,
    });
  });

  test('that the ledger cannot keep goes back to whoever sent it, and the run waits on', async () => {
    const { run } = await waitingRun('unkeepable');
    const handle = system.temporal.workflow.getHandle(`agent-tester-${run.key}`);
    const answer = { step: 't1.c0', round: 1, decision: 'happened', by: 'ann' };
    // Not by our client, which refuses it before it is sent.
    const refused = handle.executeUpdate('decide', { args: [{ ...answer, comment: 'a\0b' }] });
    await expect(refused).rejects.toMatchObject({
      cause: { cause: { type: 'decision.invalid', nonRetryable: true } },
    });
    expect((await untilWaiting(run)).waiting).toMatchObject([{ step: 't1.c0', round: 1 }]);
    // A result is bytes, and may have what a tool's may.
    const result = { note: 'a\0b' };
    await system.client.decide(run, { step: 't1.c0', decision: 'happened', by: 'ann', result });
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
  });

  test('did not happen: the step runs again', async () => {
    const { run, label } = await waitingRun('did-not');
    await system.client.decide(run, { step: 't1.c0', decision: 'did-not-happen', by: 'ann' });
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    expect(system.counter.requests(label)).toBe(2);
  });

  test('fail: the run fails, and a resume asks again', async () => {
    const { run, label } = await waitingRun('fail');
    await system.client.decide(run, { step: 't1.c0', decision: 'fail', by: 'ann' });
    expect(await endOf(run)).toMatchObject({
      status: 'failed',
      error: { code: 'step.outcome_unknown', message: expect.stringContaining('ann') },
    });
    await system.client.start({ ...run, retryFailed: true });
    expect((await untilWaiting(run)).waiting).toMatchObject([{ step: 't1.c0', round: 2 }]);
    await system.client.decide(run, { step: 't1.c0', decision: 'happened', by: 'bob' });
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    expect(system.counter.requests(label)).toBe(1);
  });

  test('the same decision twice is one, another is a conflict, a wrong one is refused', async () => {
    const { run } = await waitingRun('twice');
    const happened = { step: 't1.c0', decision: 'happened', by: 'ann' } as const;
    await expect(
      system.client.decide(run, { ...happened, decision: 'approve' }),
    ).rejects.toMatchObject({ code: 'decision.invalid' });
    await expect(system.client.decide(run, { ...happened, step: 't9.c9' })).rejects.toMatchObject({
      code: 'decision.not_asked',
    });
    const outcomes = await Promise.allSettled([
      system.client.decide(run, happened),
      system.client.decide(run, happened),
      system.client.decide(run, { ...happened, decision: 'did-not-happen', by: 'bob' }),
    ]);
    const kept = outcomes.filter(({ status }) => status === 'fulfilled').length;
    expect([1, 2]).toContain(kept);
    await endOf(run);
    await expect(system.client.decide(run, happened)).rejects.toMatchObject({
      code: 'decision.not_asked',
    });
  });
});

test('a tool at most once that knows that nothing happened runs again by itself', async () => {
  const run = await started(calls(['send', { label: 'refused' }]), { say: 'ok' });
  expect(await endOf(run)).toMatchObject({ status: 'completed' });
  expect(system.counter.requests('send:refused')).toBe(1);
});

test('a reconcile tool whose connection is cut after its effect finds it', async () => {
  system.counter.drop('book:cut');
  const run = await started(calls(['book', { label: 'cut' }]), { say: 'ok' });
  expect(await endOf(run)).toMatchObject({ status: 'completed' });
  expect(system.counter.requests('book:cut')).toBe(1);
});

describe('a call that needs approval', () => {
  const spend = (label: string, amount = 100) =>
    started(calls(['spend', { label, amount }]), { say: 'ok' });
  const decide = (run: { agent: string; key: string }, decision: 'approve' | 'deny' | 'fail') =>
    system.client.decide(run, { step: 't1.c0', decision, by: 'ann', comment: 'why not' });

  test('waits for it and then runs, once', async () => {
    const run = await spend('yes');
    const view = await untilWaiting(run);
    expect(view.waiting).toMatchObject([
      { kind: 'approval', summary: 'spend 100 on yes', otherwise: 'deny', worker: null },
    ]);
    expect(system.counter.requests('spend:yes')).toBe(0);
    await decide(run, 'approve');
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    expect(system.counter.requests('spend:yes')).toBe(1);
  });

  test('is not made when it is denied, and the model hears of it', async () => {
    const run = await spend('no');
    await untilWaiting(run);
    await decide(run, 'deny');
    expect(await endOf(run)).toMatchObject({ status: 'completed', result: 'ok' });
    expect(system.counter.requests('spend:no')).toBe(0);
  });

  test('does not wait where the arguments need none', async () => {
    const run = await spend('little', 99);
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    expect(system.counter.requests('spend:little')).toBe(1);
  });

  test('that a resume finds approved is not asked about again', async () => {
    const run = await spend('resumed');
    await untilWaiting(run);
    system.counter.fail('spend:resumed');
    await decide(run, 'approve');
    expect(await endOf(run)).toMatchObject({ status: 'failed', error: { code: 'tool.failed' } });
    system.counter.heal('spend:resumed');
    await system.client.start({ ...run, retryFailed: true });
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
  });
});

describe('two questions of one turn', () => {
  const asksTwice = async (label: string) => {
    system.counter.drop(`send:${label}`);
    const run = await started(calls(['send', { label }], ['spend', { label, amount: 100 }]), {
      say: 'ok',
    });
    const waiting = (steps: string[]) =>
      eventually(async () => {
        const view = await system.client.describe(run);
        expect(view.waiting.map(({ step }) => step).sort()).toEqual(steps);
      });
    await waiting(['t1.c0', 't1.c1']);
    return { run, waiting };
  };

  test('are answered one by one, in any order: what was answered does not wait for the other', async () => {
    const { run, waiting } = await asksTwice('one-by-one');
    await system.client.decide(run, { step: 't1.c1', decision: 'approve', by: 'ann' });
    await waiting(['t1.c0']);
    await eventually(async () => expect(system.counter.requests('spend:one-by-one')).toBe(1));
    await system.client.decide(run, { step: 't1.c0', decision: 'happened', by: 'bob' });
    expect(await endOf(run)).toMatchObject({ status: 'completed', waiting: [] });
    expect(system.counter.requests('spend:one-by-one')).toBe(1);
    expect(system.counter.requests('send:one-by-one')).toBe(1);
  });

  test('are both answered at once', async () => {
    const { run } = await asksTwice('at-once');
    await Promise.all([
      system.client.decide(run, { step: 't1.c0', decision: 'did-not-happen', by: 'ann' }),
      system.client.decide(run, { step: 't1.c1', decision: 'deny', by: 'bob' }),
    ]);
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    expect(system.counter.requests('send:at-once')).toBe(2);
    expect(system.counter.requests('spend:at-once')).toBe(0);
  });

  test('one of which ends the run: the other’s answer is recorded or refused, never lost', async () => {
    const { run } = await asksTwice('ends');
    const [, approved] = await Promise.allSettled([
      system.client.decide(run, { step: 't1.c0', decision: 'fail', by: 'ann' }),
      system.client.decide(run, { step: 't1.c1', decision: 'approve', by: 'bob' }),
    ]);
    expect(await endOf(run)).toMatchObject({ status: 'failed' });
    const spent = system.counter.requests('spend:ends');
    if (approved.status === 'rejected') {
      expect(approved.reason).toMatchObject({ code: expect.stringMatching(/^(decision|run)\./) });
      expect(spent).toBe(0);
    } else {
      expect(approved.value).toMatchObject({ outcome: 'recorded', by: 'bob' });
      expect(spent).toBe(1);
    }
  });
});

test('an approval is one of the run that was shown, and of none that has the key by now', async () => {
  const asks = (label: string) => script(calls(['spend', { label, amount: 100 }]), { say: 'ok' });
  const run = { agent: 'tester', key: 'shown' };
  const approve = { step: 't1.c0', decision: 'approve', by: 'ann' } as const;
  await system.client.start({ ...run, input: asks('shown-first') });
  const { runId } = await untilWaiting(run);
  await system.client.cancel(run);
  await endOf(run);
  await system.client.forget(run);
  await system.client.start({ ...run, input: asks('shown-second') });
  await untilWaiting(run);
  await expect(system.client.decide(run, approve, { runId })).rejects.toMatchObject({
    code: 'decision.not_asked',
    message: expect.stringContaining('Nothing was decided'),
  });
  const now = await untilWaiting(run);
  await system.client.decide(run, approve, { runId: now.runId });
  expect(await endOf(run)).toMatchObject({ status: 'completed' });
  expect(system.counter.requests('spend:shown-first')).toBe(0);
  expect(system.counter.requests('spend:shown-second')).toBe(1);
});
