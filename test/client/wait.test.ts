import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { RunProgress, RunRef } from '../../src/client/types.ts';
import { NO_USAGE } from '../../src/contract/run.ts';
import { codeOf, startClientSuite, type ClientSuite } from '../support/client-suite.ts';
import { eventually } from '../support/eventually.ts';

let suite: ClientSuite;

beforeAll(async () => {
  suite = await startClientSuite();
});
afterAll(() => suite.close());

async function start() {
  const ref = { agent: 'support', key: `k-${randomUUID()}` };
  return { ref, started: await suite.client.start({ ...ref, input: 'x' }) };
}

/** Resolves once a waiter has said something: it waits by then. */
function waiting(ref: RunRef, runId?: string) {
  const news: RunProgress[] = [];
  const result = suite.client.result(ref, {
    onProgress: (progress) => news.push(progress),
    ...(runId === undefined ? {} : { runId }),
  });
  const begun = eventually(() => {
    if (news.length === 0) throw new Error('The waiter has not begun');
  });
  return { result, begun };
}

test('at the deadline the run goes on', async () => {
  const { ref } = await start();
  expect(await codeOf(suite.client.result(ref, { timeoutMs: 300 }))).toBe('run.still_running');
  expect(await codeOf(suite.client.result(ref, { timeoutMs: 0 }))).toBe('run.still_running');
  expect(await suite.client.describe(ref)).toMatchObject({ status: 'running' });
});

test('a signal ends the waiting with its reason, not the run', async () => {
  const { ref } = await start();
  const reason = new Error('enough');
  const stop = new AbortController();
  const { result, begun } = waiting(ref);
  const stopped = suite.client.result(ref, { signal: stop.signal });
  await begun;
  stop.abort(reason);
  await expect(stopped).rejects.toBe(reason);
  await expect(suite.client.result(ref, { signal: stop.signal })).rejects.toBe(reason);
  expect(await suite.client.describe(ref)).toMatchObject({ status: 'running' });
  await suite.temporal.workflow.getHandle(`agent-support-${ref.key}`).terminate();
  expect(await result).toMatchObject({ status: 'failed' });
});

describe.each(['its key', 'the answer of its start'])('a waiter that knows the run by %s', (by) => {
  async function startToWait() {
    const { ref, started } = await start();
    const { result, begun } = waiting(ref, by === 'its key' ? undefined : started.runId);
    await begun;
    return { ref, started, result };
  }
  const DONE = { output: 'done', usage: NO_USAGE };

  test.each([true, false])(
    'learns all that a later look shows (with the time: %s)',
    async (told) => {
      const { ref, started, result } = await startToWait();
      const { startedAt } = await suite.client.describe(ref);
      await suite.worker.complete(started.workflowId, { ...DONE, ...(told ? { startedAt } : {}) });
      const view = await result;
      expect(view).toMatchObject({ status: 'completed', result: 'done' });
      expect(view.closedAt).not.toBeNull();
      expect(view).toEqual(await suite.client.describe(ref));
    },
  );

  test('learns why it failed', async () => {
    const { ref, started, result } = await startToWait();
    await suite.worker.fail(started.workflowId, { type: 'tool.failed', message: 'no' });
    expect(await result).toMatchObject({ status: 'failed', error: { code: 'tool.failed' } });
    expect(await result).toEqual(await suite.client.describe(ref));
  });

  test('goes on through continue-as-new', async () => {
    const { ref, started, result } = await startToWait();
    await suite.worker.continueAsNew(started.workflowId);
    await suite.worker.complete(started.workflowId, DONE);
    const view = await result;
    expect(view).toMatchObject({ status: 'completed', result: 'done' });
    expect(view.runId).not.toBe(started.runId);
    // The key still names the request, though its execution is another.
    const again = await suite.client.start({ ...ref, input: 'x' });
    expect(again).toMatchObject({ status: 'completed', result: 'done', replayed: true });
  });

  test('goes on through a reset', async () => {
    const { ref, started } = await start();
    await suite.worker.idle(started.workflowId);
    const { result, begun } = waiting(ref, by === 'its key' ? undefined : started.runId);
    await begun;
    await suite.temporal.workflowService.resetWorkflowExecution({
      namespace: suite.namespace,
      workflowExecution: { workflowId: started.workflowId, runId: started.runId },
      reason: 'test',
      workflowTaskFinishEventId: 4 as never,
      requestId: randomUUID(),
    });
    await suite.worker.complete(started.workflowId, DONE);
    const view = await result;
    expect(view).toMatchObject({ status: 'completed', result: 'done' });
    expect(view.runId).not.toBe(started.runId);
  });
});

test('the answer of a start names that run, whatever the key names by now', async () => {
  const { ref, started } = await start();
  await suite.worker.fail(started.workflowId, { type: 'tool.failed', message: 'no' });
  expect(await suite.client.result(ref, { runId: started.runId })).toMatchObject({
    status: 'failed',
  });
  const resumed = await suite.client.start({ ...ref, input: 'x', retryFailed: true });
  expect(resumed).toMatchObject({ resumed: true, status: 'running' });
  const failed = { status: 'failed', runId: started.runId };
  expect(await suite.client.result(ref, { runId: started.runId })).toMatchObject(failed);
  expect(await suite.client.result(ref, { runId: started.runId, timeoutMs: 0 })).toMatchObject(
    failed,
  );
  expect(
    await suite.client.result(ref, { runId: started.runId, onProgress: () => {} }),
  ).toMatchObject(failed);
  await suite.worker.complete(resumed.workflowId, { output: 'done', usage: NO_USAGE });
  expect(await suite.client.result(ref, { runId: resumed.runId })).toMatchObject({
    status: 'completed',
  });
  expect(await suite.client.result(ref, { runId: resumed.runId, timeoutMs: 0 })).toMatchObject({
    result: 'done',
  });
});

test('an execution that Temporal does not have is not found, though the key names a run', async () => {
  const { ref } = await start();
  const gone = { runId: randomUUID() };
  expect(await codeOf(suite.client.result(ref, gone))).toBe('run.not_found');
  expect(await codeOf(suite.client.result(ref, { ...gone, timeoutMs: 0 }))).toBe('run.not_found');
});

test('the answer of a start names its run through continue-as-new, also when it is resumed', async () => {
  const { ref, started } = await start();
  await suite.worker.continueAsNew(started.workflowId);
  await suite.worker.fail(started.workflowId, { type: 'tool.failed', message: 'no' });
  const failed = await suite.client.result(ref);
  const resumed = await suite.client.start({ ...ref, input: 'x', retryFailed: true });
  expect(resumed).toMatchObject({ resumed: true, status: 'running' });
  expect(await suite.client.result(ref, { runId: started.runId })).toEqual(failed);
});

test.each([
  ['the answer of its start', 0],
  ['its key', 1],
])('a run that ends well is looked at no more than it must be: by %s', async (by, looks) => {
  const { ref, started } = await start();
  const { startedAt } = await suite.client.describe(ref);
  const asked = jest.spyOn(suite.temporal.workflowService, 'describeWorkflowExecution');
  try {
    const result = suite.client.result(ref, by === 'its key' ? {} : { runId: started.runId });
    await eventually(() => expect(asked).toHaveBeenCalledTimes(looks));
    await suite.worker.complete(started.workflowId, { output: 1, usage: NO_USAGE, startedAt });
    expect(await result).toMatchObject({ status: 'completed', result: 1 });
    expect(asked).toHaveBeenCalledTimes(looks);
  } finally {
    asked.mockRestore();
  }
});

test('a waiter is told that nobody has picked the run up', async () => {
  const lonely = await startClientSuite();
  try {
    const ref = { agent: 'support', key: 'k' };
    await lonely.client.start({ ...ref, input: 'x' });
    const news: RunProgress[] = [];
    const stop = new AbortController();
    const waiter = lonely.client.result(ref, {
      signal: stop.signal,
      onProgress: (progress) => {
        news.push(progress);
        stop.abort(new Error('seen'));
      },
    });
    await expect(waiter).rejects.toThrow('seen');
    expect(news).toEqual([{ workflowId: 'agent-support-k', hasWorker: false, waiting: [] }]);
  } finally {
    await lonely.close();
  }
});
