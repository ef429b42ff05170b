import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { createRegistry } from '../../src/define/registry.ts';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import { checkRequest } from '../../src/client/check-request.ts';
import { createContext } from '../../src/client/context.ts';
import { howToAnswer } from '../../src/client/found.ts';
import { startExecution } from '../../src/client/start-execution.ts';
import { newRunAfter, resumeOf } from '../../src/client/successor.ts';
import type { StartedRun, StartRequest } from '../../src/client/types.ts';
import { FORGOTTEN } from '../../src/contract/names.ts';
import { eventually } from '../support/eventually.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';
import { testAgents } from '../support/test-agents.ts';
import { untilEnd } from '../support/until-end.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(async () => {
  await system.close();
});

/** A request whose run fails in its second turn as long as the counter refuses `charge:{key}`. */
function failing(key: string, agent = 'tester'): StartRequest {
  system.counter.fail(`charge:${key}`);
  return {
    agent,
    key,
    input: script(calls(['look', { label: key }]), calls(['charge', { label: key }]), {
      say: `${key} done`,
    }),
  };
}

async function end(request: StartRequest, more: Partial<StartRequest> = {}) {
  const { agent, key } = await system.client.start({ ...request, ...more });
  return untilEnd(system.client, { agent, key });
}

function describeRun(workflowId: string, runId?: string): Promise<WorkflowExecutionDescription> {
  return system.temporal.workflow.getHandle(workflowId, runId).describe();
}

/** Every execution under an ID, from the one that is current backwards. */
async function chain(workflowId: string): Promise<WorkflowExecutionDescription[]> {
  const found = [await describeRun(workflowId)];
  for (;;) {
    const before = found.at(-1)?.memo?.['predecessor'] as string | undefined;
    if (before === undefined) return found;
    found.push(await describeRun(workflowId, before));
  }
}

async function scopeOf(workflowId: string): Promise<string> {
  const { raw, memo } = await describeRun(workflowId);
  return (memo?.['scope'] as string) ?? raw.workflowExecutionInfo?.firstRunId ?? '';
}

describe('a failed run', () => {
  test('is returned as it is, and resumed only when that is asked for: nothing recorded repeats', async () => {
    const request = failing('resume');
    const failed = await end(request);
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'tool.failed' } });
    expect(await system.client.start(request)).toMatchObject({ status: 'failed', replayed: true });
    const before = await system.modelRequests();
    const scope = await scopeOf(failed.workflowId);

    system.counter.heal('charge:resume');
    const started = await system.client.start({ ...request, retryFailed: true });
    expect(started).toMatchObject({ replayed: false, resumed: true, definitionChanged: false });
    const view = await untilEnd(system.client, { agent: 'tester', key: 'resume' });
    expect(view).toMatchObject({ status: 'completed', result: 'resume done' });

    const after = await system.modelRequests();
    expect(after.requests - before.requests).toBe(1);
    expect(after.byToken[`${scope}:t1.model`]).toBe(1);
    expect(after.byToken[`${scope}:t2.model`]).toBe(1);
    expect(after.byToken[`${scope}:t3.model`]).toBe(1);
    expect(system.counter.requests('look:resume')).toBe(1);
    // Two attempts in the first execution, one in the second, under one token.
    expect(system.counter.requests('charge:resume')).toBe(3);
    expect(system.counter.effects('charge:resume')).toBe(1);
    expect(await scopeOf(view.workflowId)).toBe(scope);
    expect(await system.client.start(request)).toMatchObject({
      status: 'completed',
      replayed: true,
    });
  });

  test('may fail again, five times, and still be resumed', async () => {
    const request = failing('again');
    await end(request);
    for (let time = 0; time < 5; time++) {
      expect(await end(request, { retryFailed: true })).toMatchObject({ status: 'failed' });
    }
    system.counter.heal('charge:again');
    const view = await end(request, { retryFailed: true });
    expect(view).toMatchObject({ status: 'completed' });
    expect(system.counter.requests('look:again')).toBe(1);
    expect(system.counter.effects('charge:again')).toBe(1);
    const executions = await chain(view.workflowId);
    expect(executions).toHaveLength(7);
    expect(new Set(executions.map(({ memo }) => memo?.['firstSeen'])).size).toBe(1);
  });

  test('is resumed by 20 callers at once as one execution', async () => {
    const request = failing('crowd');
    const failed = await end(request);
    system.counter.heal('charge:crowd');
    const started = await Promise.all(
      Array.from({ length: 20 }, () => system.client.start({ ...request, retryFailed: true })),
    );
    expect(started.filter((run) => !run.replayed)).toHaveLength(1);
    expect(new Set(started.map((run) => run.runId)).size).toBe(1);
    await untilEnd(system.client, { agent: 'tester', key: 'crowd' });
    expect(await chain(failed.workflowId)).toHaveLength(2);
  });

  test('at its turn limit goes on with a higher one, which is no part of the request', async () => {
    const request: StartRequest = {
      agent: 'short',
      key: 'limit',
      input: script(calls(['look', { label: 'l1' }]), calls(['look', { label: 'l2' }]), {
        say: 'in three',
      }),
    };
    const failed = await end(request);
    expect(failed).toMatchObject({
      error: { code: 'run.turn_limit', message: expect.stringContaining('--max-turns 4') },
    });
    const view = await end(request, { retryFailed: true, limits: { maxTurns: 4 } });
    expect(view).toMatchObject({ status: 'completed', result: 'in three' });
    expect(system.counter.requests('look:l1')).toBe(1);
  });

  test('of an agent that was changed since goes on from what is recorded, and says so', async () => {
    const request = failing('changed');
    await end(request);
    system.counter.heal('charge:changed');
    const changed = testAgents.map((agent) => ({ ...agent, instructions: 'New instructions.' }));
    const client = new AgentOnceClient({
      temporal: system.temporal,
      registry: createRegistry(changed, { defaultModel: 'scripted' }),
    });
    const started = await client.start({ ...request, retryFailed: true });
    expect(started).toMatchObject({ resumed: true, definitionChanged: true });
    const view = await untilEnd(client, { agent: 'tester', key: 'changed' });
    expect(view.status).toBe('completed');
    expect(system.counter.requests('look:changed')).toBe(1);
  });

  test('is no other request: another input under its key is refused, also with retryFailed', async () => {
    const request = failing('other');
    await end(request);
    await expect(
      system.client.start({ ...request, input: 'other', retryFailed: true }),
    ).rejects.toMatchObject({ code: 'key.conflict' });
  });
});

describe('a key', () => {
  test('names its run until its time is over, to the second', async () => {
    const request: StartRequest = { agent: 'brief', key: 'ttl', input: script({ say: 'ok' }) };
    const { workflowId } = await end(request);
    const found = await describeRun(workflowId);
    const context = createContext({
      temporal: system.temporal,
      registry: createRegistry(testAgents, { defaultModel: 'scripted' }),
    });
    const closed = found.closeTime?.getTime() ?? 0;
    const at = (ms: number, input: StartRequest['input'] = request.input) =>
      howToAnswer(
        found,
        checkRequest(context, { ...request, ...(input === undefined ? {} : { input }) }),
        {
          nonce: 'another',
          now: new Date(closed + ms),
          retryFailed: false,
        },
      );
    expect(at(1_000)).toBe('replay');
    expect(at(1_000, 'other')).toBe('conflict');
    expect(at(3_000)).toBe('renew');
    expect(at(3_000, 'other')).toBe('renew');
  });

  test('that has expired makes one run of two different requests at once, and one conflict', async () => {
    const base: StartRequest = { agent: 'brief', key: 'expired', input: script({ say: 'first' }) };
    const first = await end(base);
    const closed = (await describeRun(first.workflowId)).closeTime?.getTime() ?? 0;
    await eventually(() => expect(Date.now() - closed).toBeGreaterThan(2_100));
    const a = { ...base, input: script({ say: 'a', delayMs: 200 }) };
    const b = { ...base, input: script({ say: 'b', delayMs: 200 }) };
    const ends = await Promise.allSettled([a, b].map((request) => system.client.start(request)));
    const won = ends.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const lost = ends.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    );
    expect(won).toMatchObject([{ replayed: false, resumed: false }]);
    expect(lost).toMatchObject([{ code: 'key.conflict' }]);
    const view = await untilEnd(system.client, { agent: 'brief', key: 'expired' });
    expect(view.runId).toBe((won[0] as StartedRun).runId);
    expect(await chain(view.workflowId)).toHaveLength(2);
  });

  test('that was forgotten is new: another request, a new scope', async () => {
    const request: StartRequest = {
      agent: 'tester',
      key: 'forgotten',
      input: script(calls(['charge', { label: 'forgotten' }]), { say: 'first' }),
    };
    const first = await end(request);
    const scope = await scopeOf(first.workflowId);
    await system.client.forget({ agent: 'tester', key: 'forgotten' });
    await expect(
      system.client.describe({ agent: 'tester', key: 'forgotten' }),
    ).rejects.toMatchObject({
      code: 'run.not_found',
      message: expect.stringContaining('forgotten'),
    });
    const again = await end(request);
    expect(again).toMatchObject({ status: 'completed', result: 'first' });
    expect(await scopeOf(first.workflowId)).not.toBe(scope);
    expect(system.counter.effects('charge:forgotten')).toBe(2);
    // What was forgotten is over for good.
    expect(
      await system.ledger.claim({
        scope,
        step: 't9.model',
        turn: 9,
        kind: 'model',
        name: 'm',
        effect: null,
        digest: 'd',
        nonce: crypto.randomUUID(),
        leaseMs: 1_000,
        maximumAttempts: 1,
        workflowId: first.workflowId,
        runId: 'r',
        worker: 'test',
      }),
    ).toEqual({ state: 'superseded' });
  });

  test('of a running run is not forgotten', async () => {
    const request: StartRequest = {
      agent: 'tester',
      key: 'busy',
      input: script(calls(['endless', {}]), { say: 'never' }),
    };
    await system.client.start(request);
    await expect(system.client.forget(request as never)).rejects.toMatchObject({
      code: 'run.still_running',
    });
    await system.client.cancel({ agent: 'tester', key: 'busy' });
    await untilEnd(system.client, { agent: 'tester', key: 'busy' });
    await system.client.forget({ agent: 'tester', key: 'busy' });
  });

  test('whose tombstone was left running is usable after a second', async () => {
    const request: StartRequest = { agent: 'tester', key: 'tomb', input: script({ say: 'ok' }) };
    const { workflowId } = await end(request);
    await system.temporal.workflow.start(FORGOTTEN, {
      workflowId,
      taskQueue: 'agent-once-forgotten',
      workflowExecutionTimeout: 1_000,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      memo: { intent: 'forgotten' },
    });
    expect(await system.client.start({ ...request, input: script({ say: 'new' }) })).toMatchObject({
      replayed: false,
    });
    expect(await untilEnd(system.client, request as never)).toMatchObject({ result: 'new' });
  });

  test('forgotten and resumed at the same moment: no run that runs is terminated', async () => {
    const keys = Array.from({ length: 8 }, (_, i) => `race-${i}`);
    await Promise.all(
      keys.map(async (key) => {
        const request = failing(key);
        await end(request);
        system.counter.heal(`charge:${key}`);
        const [forgotten, resumed] = await Promise.allSettled([
          system.client.forget({ agent: 'tester', key }),
          system.client.start({ ...request, retryFailed: true }),
        ]);
        if (forgotten.status === 'rejected') {
          expect(forgotten.reason).toMatchObject({ code: 'run.still_running' });
        }
        expect(resumed.status).toBe('fulfilled');
        const view = await untilEnd(system.client, { agent: 'tester', key });
        expect(view).toMatchObject({ status: 'completed' });
        const executions = await chain(view.workflowId);
        const ends = executions.filter(({ type }) => type !== FORGOTTEN).map((e) => e.status.name);
        expect(ends).not.toContain('TERMINATED');
      }),
    );
  });
});

describe('a caller who is two generations late', () => {
  test('with an expired run repeats nothing: its steps are recorded', async () => {
    const request: StartRequest = {
      agent: 'brief',
      key: 'late',
      input: script(calls(['charge', { label: 'late' }]), { say: 'late' }),
    };
    const context = createContext({ temporal: system.temporal });
    const checked = checkRequest(context, request);
    const first = await end(request);
    const seen = await describeRun(first.workflowId);
    const successor = newRunAfter(seen, checked);
    const startLate = () =>
      startExecution(context, checked, {
        nonce: crypto.randomUUID(),
        firstSeen: new Date(),
        successor,
      });
    await startLate();
    const second = await untilEnd(system.client, { agent: 'brief', key: 'late' });
    await system.client.forget({ agent: 'brief', key: 'late' });
    const third = await end(request);
    const before = await system.modelRequests();
    const charges = system.counter.requests('charge:late');

    await startLate();
    const stale = await untilEnd(system.client, { agent: 'brief', key: 'late' });
    expect(stale.runId).not.toBe(third.runId);
    // The scope of the second generation was retired by the third.
    expect(stale).toMatchObject({ status: 'failed', error: { code: 'step.superseded' } });
    expect(second).toMatchObject({ status: 'completed' });
    expect((await system.modelRequests()).requests).toBe(before.requests);
    expect(system.counter.requests('charge:late')).toBe(charges);
  });

  test('with a resume of a forgotten run is told that it was superseded', async () => {
    const request = failing('stale');
    const failed = await end(request);
    const context = createContext({ temporal: system.temporal });
    const successor = await resumeOf(context, await describeRun(failed.workflowId));
    await system.client.forget({ agent: 'tester', key: 'stale' });
    system.counter.heal('charge:stale');
    await end(request);
    const charges = system.counter.requests('charge:stale');
    await startExecution(context, checkRequest(context, request), {
      nonce: crypto.randomUUID(),
      firstSeen: new Date(),
      successor,
    });
    expect(await untilEnd(system.client, { agent: 'tester', key: 'stale' })).toMatchObject({
      error: { code: 'step.superseded' },
    });
    expect(system.counter.requests('charge:stale')).toBe(charges);
  });
});

describe('a request without a key', () => {
  const WINDOW_MS = 8_000;

  test('is the same request inside its window, counted from its first start', async () => {
    const request: StartRequest = {
      agent: 'tester',
      input: script({ say: 'windowed' }),
      // Long enough for a run on a busy machine.
      dedupeWindowMs: WINDOW_MS,
    };
    const first = await system.client.start(request);
    expect(first).toMatchObject({ replayed: false, keyGenerated: true });
    await untilEnd(system.client, { agent: 'tester', key: first.key });
    expect(await system.client.start(request)).toMatchObject({
      replayed: true,
      runId: first.runId,
    });
    const seen = Date.parse(first.startedAt);
    await eventually(() => expect(Date.now() - seen).toBeGreaterThan(WINDOW_MS + 200));
    const next = await system.client.start(request);
    expect(next).toMatchObject({ replayed: false, key: first.key });
    expect(next.runId).not.toBe(first.runId);
  });

  test('attaches to a run that is still going, however old it is', async () => {
    const request: StartRequest = {
      agent: 'tester',
      input: script(calls(['endless', {}]), { say: 'never' }),
      dedupeWindowMs: 1,
    };
    const first = await system.client.start(request);
    expect(await system.client.start(request)).toMatchObject({
      replayed: true,
      runId: first.runId,
    });
    await system.client.cancel({ agent: 'tester', key: first.key });
  });
});

describe('waiting callers', () => {
  test('get the result of a run that is reset while they wait', async () => {
    const request: StartRequest = {
      agent: 'tester',
      key: 'reset-while-waiting',
      input: script(calls(['look', { label: 'w' }]), { say: 'after', delayMs: 1_500 }),
    };
    const { workflowId, runId } = await system.client.start(request);
    const ref = { agent: 'tester', key: 'reset-while-waiting' };
    const waiting = [untilEnd(system.client, ref), untilEnd(system.client, ref)];
    await eventually(() => expect(system.counter.requests('look:w')).toBe(1));
    const { events } = await system.temporal.workflow.getHandle(workflowId).fetchHistory();
    const firstTask = events?.find((event) => event.workflowTaskCompletedEventAttributes);
    await system.temporal.workflowService.resetWorkflowExecution({
      namespace: system.temporal.options.namespace,
      workflowExecution: { workflowId, runId },
      workflowTaskFinishEventId: firstTask?.eventId ?? null,
      requestId: crypto.randomUUID(),
      reason: 'test',
    });
    const views = await Promise.all(waiting);
    expect(views).toMatchObject([{ result: 'after' }, { result: 'after' }]);
    expect(views[0]?.runId).not.toBe(runId);
    expect(system.counter.requests('look:w')).toBe(1);
  });
});

test('a worker refuses to start when keys would outlive what the namespace retains', async () => {
  await expect(system.startWorker({ TEST_KEY_TTL_SECONDS: '172800' })).rejects.toThrow(
    /keys of agent "tester" live for 172800 s.*retains closed runs for 86400 s/s,
  );
});
