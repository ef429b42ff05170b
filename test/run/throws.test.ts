import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonValue } from '../../src/contract/json-value.ts';
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

async function started(...answers: JsonValue[]) {
  const { key, workflowId } = await system.client.start({
    agent: 'tester',
    input: script(...answers),
  });
  const { raw } = await system.temporal.workflow.getHandle(workflowId).describe();
  return { run: { agent: 'tester', key }, scope: raw.workflowExecutionInfo?.firstRunId ?? '' };
}

const endOf = (run: { agent: string; key: string }) => untilEnd(system.client, run);

const untilWaiting = (run: { agent: string; key: string }) =>
  eventually(async () => {
    const view = await system.client.describe(run);
    expect(view.status).toBe('waiting');
    return view;
  });

describe('after its effect, without an answer, a tool throws:', () => {
  const CUT = 'cut';
  const thrown = async (tool: string, label = CUT) => {
    system.counter.drop(`${tool}:${label}`);
    const { run, scope } = await started(calls([tool, { label }]), { say: 'ok' });
    expect(await endOf(run)).toMatchObject({ status: 'completed', result: 'ok' });
    return system.ledger.step(scope, 't1.c0');
  };

  test('read runs again', async () => {
    expect(await thrown('look')).toMatchObject({ knownBy: null, attempts: 2 });
    expect(system.counter.requests('look:cut')).toBe(2);
  });

  test('keyed runs again, under the same token', async () => {
    expect(await thrown('charge')).toMatchObject({ knownBy: null, attempts: 2 });
    expect(system.counter.requests('charge:cut')).toBe(2);
    expect(system.counter.effects('charge:cut')).toBe(1);
  });

  test('transactional was rolled back, and runs again', async () => {
    expect(await thrown('note', 'throws')).toMatchObject({ knownBy: null, attempts: 2 });
    const { rows } = await system.sql.query("SELECT 1 FROM notes WHERE label = 'throws'");
    expect(rows).toHaveLength(1);
  });

  test('reconcile asks find, and does not run again', async () => {
    expect(await thrown('book')).toMatchObject({ knownBy: 'find', attempts: 2 });
    expect(system.counter.requests('book:cut')).toBe(1);
  });

  test('at-most-once asks a person, and does not run again', async () => {
    system.counter.drop('send:cut');
    const { run, scope } = await started(calls(['send', { label: 'cut' }]), { say: 'ok' });
    await untilWaiting(run);
    expect(system.counter.requests('send:cut')).toBe(1);
    await system.client.decide(run, { step: 't1.c0', decision: 'happened', by: 'ann' });
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    expect(await system.ledger.step(scope, 't1.c0')).toMatchObject({ knownBy: 'person' });
    expect(system.counter.requests('send:cut')).toBe(1);
  });

  test('a model call is made again, and counts as possibly paid twice', async () => {
    const { run, scope } = await started({ say: 'ok', fault: { kind: 'break', times: 1 } });
    expect(await endOf(run)).toMatchObject({ status: 'completed', result: 'ok' });
    expect((await system.modelRequests()).byToken[`${scope}:t1.model`]).toBe(2);
  });
});

test('a tool at most once whose result cannot be recorded asks a person: it had its effect', async () => {
  const { run } = await started(calls(['send', { label: 'unspeakable' }]), { say: 'ok' });
  const { waiting } = await untilWaiting(run);
  expect(waiting).toMatchObject([
    { kind: 'outcome', error: expect.stringContaining('return a plain object') },
  ]);
  await system.client.decide(run, { step: 't1.c0', decision: 'happened', by: 'ann' });
  expect(await endOf(run)).toMatchObject({ status: 'completed' });
  expect(system.counter.requests('send:unspeakable')).toBe(1);
});

describe('a question', () => {
  test('that a cancelled run left open is asked by its resume, in its own name and time', async () => {
    system.counter.drop('send:resumed');
    const request = {
      agent: 'tester',
      key: 'resumed',
      input: script(calls(['send', { label: 'resumed' }]), { say: 'ok' }),
    };
    await system.client.start(request);
    const [before] = (await untilWaiting(request)).waiting;
    await system.client.cancel(request);
    expect(await endOf(request)).toMatchObject({ status: 'cancelled' });
    await system.client.start({ ...request, retryFailed: true });
    const [after] = (await untilWaiting(request)).waiting;
    expect(after).toMatchObject({ round: 1 });
    expect(Date.parse(after?.deadline ?? '')).toBeGreaterThan(Date.parse(before?.deadline ?? ''));
    await system.client.decide(request, { step: 't1.c0', decision: 'fail', by: 'ann' });
    expect(await endOf(request)).toMatchObject({
      status: 'failed',
      error: { code: 'step.outcome_unknown' },
    });
  });

  test('is not answered by what a reset delivers again: an answer to the one before it', async () => {
    const label = 'reset';
    system.counter.drop(`send:${label}`);
    const { run, scope } = await started(calls(['send', { label }]), { say: 'ok' });
    const { workflowId, runId } = await untilWaiting(run);
    system.counter.drop(`send:${label}`);
    await system.client.decide(run, { step: 't1.c0', decision: 'did-not-happen', by: 'ann' });
    await eventually(async () =>
      expect((await untilWaiting(run)).waiting).toMatchObject([{ round: 2 }]),
    );
    const handle = system.temporal.workflow.getHandle(workflowId);
    const { events } = await handle.fetchHistory();
    const firstTask = events?.find((event) => event.workflowTaskCompletedEventAttributes);
    await system.temporal.workflowService.resetWorkflowExecution({
      namespace: system.temporal.options.namespace,
      workflowExecution: { workflowId, runId },
      workflowTaskFinishEventId: firstTask?.eventId ?? null,
      requestId: crypto.randomUUID(),
      reason: 'test',
    });
    await eventually(async () => {
      const history = await handle.fetchHistory();
      expect(
        history.events?.filter((event) => event.workflowExecutionUpdateCompletedEventAttributes),
      ).toHaveLength(1);
      const view = await untilWaiting(run);
      expect(view.runId).not.toBe(runId);
      expect(view.waiting).toMatchObject([{ round: 2 }]);
    });
    expect(await system.ledger.step(scope, 't1.c0')).toMatchObject({
      state: 'unknown',
      attempts: 2,
    });
    expect(system.counter.requests(`send:${label}`)).toBe(2);
    await system.client.cancel(run);
    await endOf(run);
  });
});
