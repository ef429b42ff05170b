import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunView, StartedRun } from '../../src/client/types.ts';
import { NO_USAGE } from '../../src/contract/run.ts';
import { codeOf, startClientSuite, type ClientSuite } from '../support/client-suite.ts';
import { eventually } from '../support/eventually.ts';
import { startOwnTemporal, type OwnTemporal } from '../support/own-temporal.ts';
import { requestsOf, type Requests } from '../support/requests-of.ts';

let temporal: OwnTemporal;
let suite: ClientSuite;

beforeAll(async () => {
  temporal = await startOwnTemporal();
  suite = await startClientSuite({ searchAttributes: false });
});
afterAll(async () => {
  await (suite as ClientSuite | undefined)?.close();
  await temporal.stop();
});

const POLLS = 'PollWorkflowExecutionHistory';
const DONE = { output: { text: 'done' }, usage: NO_USAGE };

/** Requests in the suite's namespace from now on. */
async function countRequests(): Promise<() => Promise<Requests>> {
  const before = await requestsOf(suite.temporal);
  return () => requestsOf(suite.temporal, before);
}

function newRequest() {
  return { agent: 'support', key: `k-${randomUUID()}`, input: 'x' };
}

async function start() {
  const request = newRequest();
  return { request, started: await suite.client.start(request) };
}

/** Callers who all wait for a run, once the server has their long poll. */
async function waitAll(callers: number, wait: () => Promise<RunView>): Promise<Promise<RunView>[]> {
  const requests = await countRequests();
  const waits = Array.from({ length: callers }, wait);
  await eventually(async () => expect((await requests())[POLLS]).toBe(1));
  return waits;
}

test('100 callers of a new key who wait for its end cost Temporal one start, one look and one long poll', async () => {
  const requests = await countRequests();
  const request = newRequest();
  const told = await Promise.all(Array.from({ length: 100 }, () => suite.client.start(request)));
  expect(told.filter(({ replayed }) => !replayed)).toHaveLength(1);
  const { workflowId, runId, startedAt } = told[0] as StartedRun;
  expect(new Set(told.map((each) => each.runId))).toEqual(new Set([runId]));
  const waits = told.map(() => suite.client.result(request, { runId }));
  await suite.worker.complete(workflowId, { ...DONE, startedAt });
  for (const view of await Promise.all(waits))
    expect(view).toMatchObject({ status: 'completed', result: DONE.output });
  expect(await requests()).toEqual({
    StartWorkflowExecution: 1,
    DescribeWorkflowExecution: 1,
    [POLLS]: 1,
  });
});

test('callers who leave, by their own signal or time, leave the others waiting; the last one ends the poll', async () => {
  const { request, started } = await start();
  const requests = await countRequests();
  const stop = new AbortController();
  const { runId } = started;
  const early = codeOf(suite.client.result(request, { runId, timeoutMs: 1_500 }));
  const leaves = suite.client.result(request, { runId, signal: stop.signal });
  const stays = suite.client.result(request, { runId });
  await eventually(async () => expect((await requests())[POLLS]).toBe(1));
  stop.abort(new Error('enough'));
  await expect(leaves).rejects.toThrow('enough');
  expect(await early).toBe('run.still_running');
  const last = new AbortController();
  const joins = suite.client.result(request, { runId, signal: last.signal });
  await suite.worker.complete(started.workflowId, DONE);
  expect(await stays).toMatchObject({ status: 'completed' });
  expect(await joins).toMatchObject({ status: 'completed' });
  expect((await requests())[POLLS]).toBe(1);
});

test('when all have left nothing is waited for, and the next caller begins anew', async () => {
  const { request, started } = await start();
  const requests = await countRequests();
  const { runId } = started;
  const stop = new AbortController();
  const leaving = [1, 2].map(() =>
    codeOf(suite.client.result(request, { runId, signal: stop.signal })),
  );
  await eventually(async () => expect((await requests())[POLLS]).toBe(1));
  stop.abort(Object.assign(new Error('enough'), { code: 'left' }));
  expect(await Promise.all(leaving)).toEqual(['left', 'left']);
  const next = suite.client.result(request, { runId });
  await eventually(async () => expect((await requests())[POLLS]).toBe(2));
  await suite.worker.complete(started.workflowId, DONE);
  expect(await next).toMatchObject({ status: 'completed' });
});

describe.each(['its key', 'the answer of its start'])(
  'callers who know a run by %s and wait',
  (by) => {
    async function startToWait() {
      const { request, started } = await start();
      const how = by === 'its key' ? {} : { runId: started.runId };
      const waits = await waitAll(5, () => suite.client.result(request, how));
      return { request, started, waits };
    }

    test('all learn why it failed, and one resumed meanwhile is another', async () => {
      const { request, started, waits } = await startToWait();
      await suite.worker.fail(started.workflowId, { type: 'tool.failed', message: 'no' });
      const failed = await Promise.all(waits);
      for (const view of failed) {
        expect(view).toMatchObject({ status: 'failed', error: { code: 'tool.failed' } });
      }
      const resumed = await suite.client.start({ ...request, retryFailed: true });
      const both = [
        suite.client.result(request, { runId: started.runId }),
        suite.client.result(request, { runId: resumed.runId }),
      ];
      await suite.worker.complete(started.workflowId, DONE);
      expect(await both[0]).toEqual(failed[0]);
      expect(await both[1]).toMatchObject({ status: 'completed', runId: resumed.runId });
    });

    test('all learn that it was cancelled', async () => {
      const { request, started, waits } = await startToWait();
      await suite.client.cancel(request);
      await suite.worker.cancel(started.workflowId);
      for (const view of await Promise.all(waits)) {
        expect(view).toMatchObject({ status: 'cancelled', error: { code: 'run.cancelled' } });
      }
    });

    test('all go on through continue-as-new, by one poll for each execution', async () => {
      const { started, waits } = await startToWait();
      const requests = await countRequests();
      await suite.worker.continueAsNew(started.workflowId);
      await eventually(async () => expect((await requests())[POLLS]).toBe(1));
      await suite.worker.complete(started.workflowId, DONE);
      const views = await Promise.all(waits);
      for (const view of views)
        expect(view).toMatchObject({ status: 'completed', result: DONE.output });
      expect((await requests())[POLLS]).toBe(1);
    });

    test('each has a view of its own', async () => {
      const { started, waits } = await startToWait();
      await suite.worker.complete(started.workflowId, DONE);
      const [first, ...others] = await Promise.all(waits);
      Object.assign(first?.result as object, { text: 'changed' });
      for (const view of others) expect(view.result).toEqual(DONE.output);
    });
  },
);
