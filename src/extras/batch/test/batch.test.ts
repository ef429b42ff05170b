import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AgentOnceClient } from '../../../client/agent-once-client.ts';
import {
  batchKey,
  runBatch,
  type BatchLine,
  type BatchOptions,
  type BatchOutcome,
} from '../batch.ts';
import { NO_USAGE } from '../../../contract/run.ts';
import { startClientSuite, type ClientSuite } from '../../../../test/support/client-suite.ts';
import { eventually } from '../../../../test/support/eventually.ts';

let suite: ClientSuite;

beforeAll(async () => {
  suite = await startClientSuite();
});
afterAll(() => suite.close());

/** A batch of so many lines, and how many of them were taken so far. */
function createBatch(lines: number) {
  const key = `b-${randomUUID()}`;
  const taken: number[] = [];
  function* take(): Generator<BatchLine, void> {
    for (let line = 1; line <= lines; line++) {
      taken.push(line);
      yield { line, input: `input ${line}` };
    }
  }
  return {
    key,
    taken,
    idOf: (line: number) => `agent-assistant-${batchKey(key, line)}`,
    run: (options: BatchOptions = {}, client = suite.client) =>
      runBatch(client, { agent: 'assistant', key, lines: take() }, options),
  };
}

async function all(batch: AsyncIterable<BatchOutcome>): Promise<BatchOutcome[]> {
  const outcomes: BatchOutcome[] = [];
  for await (const outcome of batch) outcomes.push(outcome);
  return outcomes.sort((a, b) => a.line - b.line);
}

const done = { output: 'done', usage: NO_USAGE };

async function started(workflowId: string): Promise<void> {
  await eventually(() => suite.temporal.workflow.getHandle(workflowId).describe());
}

test('takes a line when one has ended, never more than the concurrency', async () => {
  const batch = createBatch(5);
  const iterator = batch.run({ concurrency: 2 });
  // Each completion lets in one line, whichever of the two it is of.
  const ends = [2, 1, 3, 5, 4];
  for (const [at, line] of ends.entries()) {
    const next = iterator.next();
    await started(batch.idOf(line));
    expect(batch.taken.length).toBe(Math.min(5, at + 2));
    await suite.worker.complete(batch.idOf(line), done);
    expect((await next).value).toMatchObject({
      line,
      key: `${batch.key}:${line}`,
      state: 'completed',
      run: { result: 'done', replayed: false },
      error: null,
    });
  }
  expect(await iterator.next()).toMatchObject({ done: true });
});

test('a second time it replays what ended, and tells failures and conflicts apart', async () => {
  const batch = createBatch(3);
  const first = all(batch.run());
  await suite.worker.complete(batch.idOf(1), done);
  await suite.worker.fail(batch.idOf(2), { type: 'model.refused', message: 'It declined.' });
  await suite.worker.complete(batch.idOf(3), done);
  await first;
  const changed = runBatch(suite.client, {
    agent: 'assistant',
    key: batch.key,
    lines: [
      { line: 1, input: 'input 1' },
      { line: 2, input: 'input 2' },
      { line: 3, input: 'changed' },
      { line: 4, input: undefined as never },
    ],
  });
  const outcomes = all(changed);
  await suite.worker.complete(batch.idOf(4), done);
  expect(await outcomes).toMatchObject([
    { line: 1, state: 'completed', run: { replayed: true } },
    { line: 2, state: 'failed', run: { replayed: true }, error: { code: 'model.refused' } },
    { line: 3, state: 'conflict', run: null, error: { code: 'key.conflict' } },
    { line: 4, state: 'completed', run: { replayed: false } },
  ]);
});

test('a line that cannot be started is refused, and the others go on', async () => {
  const key = `b-${randomUUID()}`;
  const lines = [
    { line: 1, input: 'x'.repeat(2 * 1024 * 1024) },
    { line: 2, input: 'short' },
  ];
  const outcomes = all(runBatch(suite.client, { agent: 'assistant', key, lines }));
  await suite.worker.complete(`agent-assistant-${key}:2`, done);
  expect(await outcomes).toMatchObject([
    { line: 1, state: 'refused', run: null, error: { code: 'input.too_large' } },
    { line: 2, state: 'completed' },
  ]);
});

test('its signal starts no more lines; those under way are told as they stand, and go on', async () => {
  const batch = createBatch(5);
  const stop = new AbortController();
  const outcomes = all(batch.run({ concurrency: 2, signal: stop.signal }));
  await started(batch.idOf(1));
  await started(batch.idOf(2));
  stop.abort();
  expect(await outcomes).toMatchObject([
    { line: 1, state: 'running', run: { workflowId: batch.idOf(1) } },
    { line: 2, state: 'running', run: { workflowId: batch.idOf(2) } },
  ]);
  expect(batch.taken).toEqual([1, 2]);
  expect(
    await suite.client.describe({ agent: 'assistant', key: batchKey(batch.key, 1) }),
  ).toMatchObject({ status: 'running' });
});

test('a run that waits for a person is not waited for', async () => {
  const batch = createBatch(1);
  const outcomes = all(batch.run());
  await suite.worker.waitFor(batch.idOf(1), {
    step: 't1.c0',
    kind: 'approval',
    round: 1,
    tool: 'order',
    summary: 'Order a keyboard',
    askedAt: '2026-01-01T00:00:00.000Z',
    deadline: '2026-01-02T00:00:00.000Z',
    otherwise: 'deny',
    worker: null,
    claimedAt: null,
    error: null,
  });
  expect(await outcomes).toMatchObject([{ line: 1, state: 'waiting' }]);
});

test('whoever stops reading leaves no waiting behind', async () => {
  const batch = createBatch(4);
  for await (const { line } of (() => {
    const iterator = batch.run({ concurrency: 3 });
    void suite.worker.complete(batch.idOf(2), done);
    return iterator;
  })()) {
    expect(line).toBe(2);
    break;
  }
  // Leaving the loop waits for the end of the generator, and it took no line for the one that ended.
  expect(batch.taken).toEqual([1, 2, 3]);
});

test('without Temporal it ends with the reason, after the lines that were begun', async () => {
  const connection = Connection.lazy({ address: '127.0.0.1:1' });
  const client = new AgentOnceClient({
    temporal: new Client({ connection }),
    requestTimeoutMs: 500,
  });
  const batch = createBatch(9);
  const outcomes: BatchOutcome[] = [];
  try {
    await expect(
      (async () => {
        for await (const outcome of batch.run({ concurrency: 3 }, client)) outcomes.push(outcome);
      })(),
    ).rejects.toMatchObject({ code: 'temporal.unreachable' });
  } finally {
    await connection.close();
  }
  expect(outcomes).toHaveLength(3);
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({
      state: 'unknown',
      run: null,
      error: { code: 'temporal.unreachable' },
    });
  }
  expect(batch.taken).toEqual([1, 2, 3]);
});
