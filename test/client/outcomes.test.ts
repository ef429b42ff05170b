import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from '@temporalio/client';
import type { RunState, Usage } from '../../src/contract/run.ts';
import { codeOf, startClientSuite, type ClientSuite } from '../support/client-suite.ts';
import { untilEnd } from '../support/until-end.ts';

let suite: ClientSuite;

beforeAll(async () => {
  suite = await startClientSuite();
});
afterAll(() => suite.close());

const usage: Usage = {
  turns: 2,
  modelCalls: 2,
  toolCalls: 1,
  inputTokens: 120,
  outputTokens: 30,
  costUsd: 0.25,
};

async function start() {
  const request = { agent: 'support', key: `k-${randomUUID()}`, input: 'x' };
  return { request, started: await suite.client.start(request) };
}

describe('a start of a key whose run has ended returns how it ended', () => {
  test('completed: the stored result', async () => {
    const { request, started } = await start();
    await suite.worker.complete(started.workflowId, { output: { refunded: true }, usage });
    const again = await suite.client.start(request);
    expect(again).toMatchObject({
      runId: started.runId,
      status: 'completed',
      result: { refunded: true },
      error: null,
      usage,
      replayed: true,
    });
    expect(again.closedAt).not.toBeNull();
    const { replayed: _, keyGenerated: __, resumed, definitionChanged, ...view } = again;
    expect({ resumed, definitionChanged }).toEqual({ resumed: false, definitionChanged: false });
    expect(await suite.client.describe(request)).toEqual(view);
    expect(await suite.client.result(request)).toEqual(view);
  });

  test('completed: with another input it is a conflict all the same', async () => {
    const { request, started } = await start();
    await suite.worker.complete(started.workflowId, { output: 'secret', usage });
    const start2 = suite.client.start({ ...request, input: 'y' });
    expect(await codeOf(start2)).toBe('key.conflict');
  });

  test('failed: its code, message and usage', async () => {
    const { request, started } = await start();
    const message = 'The run used all its 20 turns.';
    await suite.worker.fail(started.workflowId, {
      type: 'run.turn_limit',
      message,
      details: [{ usage }],
    });
    expect(await suite.client.start(request)).toMatchObject({
      runId: started.runId,
      status: 'failed',
      result: null,
      error: { code: 'run.turn_limit', message },
      usage,
      replayed: true,
    });
  });

  test('failed with a type that is none of ours', async () => {
    const { request, started } = await start();
    await suite.worker.fail(started.workflowId, { type: 'Oops', message: 'm' });
    expect(await suite.client.describe(request)).toMatchObject({
      status: 'failed',
      error: { code: 'run.failed', message: 'm' },
      usage: null,
    });
  });

  test('cancelled', async () => {
    const { request, started } = await start();
    expect(await suite.client.cancel(request)).toMatchObject({ cancelRequested: true });
    await suite.worker.cancel(started.workflowId);
    expect(await suite.client.start(request)).toMatchObject({
      status: 'cancelled',
      error: { code: 'run.cancelled' },
      replayed: true,
    });
    expect(await suite.client.cancel(request)).toMatchObject({
      status: 'cancelled',
      cancelRequested: false,
    });
  });

  test('terminated', async () => {
    const { request, started } = await start();
    await suite.temporal.workflow.getHandle(started.workflowId).terminate('stuck');
    expect(await suite.client.start(request)).toMatchObject({
      status: 'failed',
      error: { code: 'run.terminated', message: 'The run was terminated by an operator: stuck' },
      replayed: true,
    });
  });

  test('terminated by the server at one of its limits: no operator is named', async () => {
    const { request, started } = await start();
    await suite.worker.answerTooMuch(started.workflowId);
    const message =
      'The Temporal server terminated the run at one of its limits, no person did: GrpcMessageTooLarge. What the run had recorded by then is kept in the ledger.';
    const error = { code: 'run.terminated', message };
    expect(await untilEnd(suite.client, request)).toMatchObject({ status: 'failed', error });
    expect(await suite.client.start(request)).toMatchObject({ error, replayed: true });
  });

  test('timed out', async () => {
    const { request } = await start();
    const key = `k-${randomUUID()}`;
    await suite.temporal.workflow.start('agentRun', {
      workflowId: `agent-support-${key}`,
      taskQueue: 'nobody',
      workflowExecutionTimeout: '1s',
    });
    expect(await untilEnd(suite.client, { ...request, key })).toMatchObject({
      status: 'failed',
      error: { code: 'run.timed_out' },
    });
  });
});

describe('a running run', () => {
  const state: RunState = {
    status: 'waiting',
    turn: 2,
    maxTurns: 20,
    active: [{ step: 't2.c0', activity: 'tool.issue_refund', summary: 'order 1042' }],
    waiting: [],
    usage,
  };

  test('tells its usage and that it waits, when a worker answers', async () => {
    const { request, started } = await start();
    await suite.worker.idle(started.workflowId);
    const [view] = await Promise.all([
      suite.client.describe(request),
      suite.worker.answerQuery(state),
    ]);
    expect(view).toMatchObject({ status: 'waiting', usage, closedAt: null });
    const [seen] = await Promise.all([
      suite.client.state(request),
      suite.worker.answerQuery(state),
    ]);
    expect(seen).toEqual(state);
  });

  test('is described soon where no worker has ever polled', async () => {
    const lonely = await startClientSuite();
    try {
      const request = { agent: 'support', key: 'k', input: 'x' };
      await lonely.client.start(request);
      let queries = 0;
      const { connection, options } = lonely.temporal;
      const temporal = new Client({
        connection,
        namespace: options.namespace,
        interceptors: {
          workflow: [
            {
              query: (input, next) => {
                queries += 1;
                return next(input);
              },
            },
          ],
        },
      });
      const client = lonely.clientWith({ temporal });
      expect(await client.describe(request)).toMatchObject({
        status: 'running',
        usage: null,
      });
      expect(await client.state(request)).toBeUndefined();
      // A query that nobody answers takes 1.5 s.
      expect(queries).toBe(0);
    } finally {
      await lonely.close();
    }
  });
});

test('a run that is not there', async () => {
  const nobody = { agent: 'support', key: `k-${randomUUID()}` };
  const { client } = suite;
  expect(await codeOf(client.describe(nobody))).toBe('run.not_found');
  expect(await codeOf(client.result(nobody))).toBe('run.not_found');
  expect(await codeOf(client.cancel(nobody))).toBe('run.not_found');
  expect(await codeOf(client.describe({ ...nobody, key: '' }))).toBe('key.invalid');
});
