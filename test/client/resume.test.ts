import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client, type DataConverter, type Payload } from '@temporalio/client';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import type { AgentDirectory, StartRequest } from '../../src/client/types.ts';
import type { AgentRunInput } from '../../src/contract/run.ts';
import { NO_USAGE } from '../../src/contract/run.ts';
import { codeOf, startClientSuite, type ClientSuite } from '../support/client-suite.ts';
import { eventually } from '../support/eventually.ts';

let suite: ClientSuite;

beforeAll(async () => {
  suite = await startClientSuite();
});
afterAll(() => suite.close());

const FAILURE = { type: 'tool.failed', message: 'The shop is away.' };

/** A run that has begun, by name and by ID. */
async function begun(more: Partial<StartRequest> = {}, client = suite.client) {
  const request = { agent: 'support', key: `k-${randomUUID()}`, input: { order: 1 }, ...more };
  const { workflowId, runId } = await client.start(request);
  return { request, ref: { agent: request.agent, key: request.key }, workflowId, runId };
}

/** What the current execution under an ID was started with. */
async function argumentOf(workflowId: string): Promise<Partial<AgentRunInput>> {
  const history = await suite.temporal.workflow.getHandle(workflowId).fetchHistory();
  const [payload] =
    history.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  return JSON.parse(Buffer.from(payload?.data ?? []).toString()) as Partial<AgentRunInput>;
}

describe('a run is resumed without its input', () => {
  test('when it failed: with the same request, in the same scope, and its own limits', async () => {
    const options = { model: 'm', shadow: true } as const;
    const { ref, request, workflowId, runId } = await begun({ options, limits: { maxTurns: 7 } });
    await suite.worker.fail(workflowId, FAILURE);
    const resumed = await suite.client.resume(ref);
    expect(resumed).toMatchObject({ status: 'running', replayed: false, resumed: true });
    expect(resumed.runId).not.toBe(runId);
    expect(await argumentOf(workflowId)).toMatchObject({
      input: request.input,
      options,
      limits: { maxTurns: 7 },
      scope: `shadow.${runId}`,
    });
    // The same request, for whoever has it: attached to.
    expect(await suite.client.start(request)).toMatchObject({
      runId: resumed.runId,
      replayed: true,
    });
  });

  test('with other limits, and once more when it has failed again', async () => {
    const { ref, workflowId } = await begun({ limits: { maxTurns: 2 } });
    await suite.worker.fail(workflowId, FAILURE);
    const first = await suite.client.resume(ref, { limits: { maxTurns: 4 } });
    expect(await argumentOf(workflowId)).toMatchObject({ limits: { maxTurns: 4 } });
    await suite.worker.fail(workflowId, FAILURE);
    const second = await suite.client.resume(ref);
    expect(second.runId).not.toBe(first.runId);
    expect(await argumentOf(workflowId)).toMatchObject({ limits: { maxTurns: 4 } });
  });

  test('with the priority that it had, unless it is given another', async () => {
    const { ref, workflowId } = await begun({ limits: { priority: 2 } });
    const priority = async () => {
      const { raw } = await suite.temporal.workflow.getHandle(workflowId).describe();
      return raw.workflowExecutionInfo?.priority?.priorityKey;
    };
    await suite.worker.fail(workflowId, FAILURE);
    await suite.client.resume(ref);
    expect(await priority()).toBe(2);
    await suite.worker.fail(workflowId, FAILURE);
    await suite.client.resume(ref, { limits: { priority: 1 } });
    expect(await priority()).toBe(1);
  });

  test('when it was cancelled or terminated', async () => {
    const cancelled = await begun();
    await suite.client.cancel(cancelled.ref);
    await suite.worker.cancel(cancelled.workflowId);
    expect(await suite.client.resume(cancelled.ref)).toMatchObject({ resumed: true });
    const terminated = await begun();
    await suite.temporal.workflow.getHandle(terminated.workflowId).terminate();
    expect(await suite.client.resume(terminated.ref)).toMatchObject({ resumed: true });
  });

  test('by many at once: one execution', async () => {
    const { ref, workflowId } = await begun();
    await suite.worker.fail(workflowId, FAILURE);
    const all = await Promise.all(
      Array.from({ length: 10 }, () => suite.clientWith({}).resume(ref)),
    );
    expect(new Set(all.map(({ runId }) => runId)).size).toBe(1);
    expect(all.filter(({ replayed }) => !replayed)).toHaveLength(1);
  });

  test('that continued as new: the first execution has the input', async () => {
    const { ref, request, workflowId, runId } = await begun();
    await suite.worker.continueAsNew(workflowId);
    await suite.worker.fail(workflowId, FAILURE);
    expect(await suite.client.resume(ref)).toMatchObject({ resumed: true });
    expect(await argumentOf(workflowId)).toMatchObject({ input: request.input, scope: runId });
  });

  test('whose payloads are encoded, by more than one codec', async () => {
    const dataConverter = { payloadCodecs: [codec('inner'), codec('outer')] };
    const encoding = withConverter(dataConverter);
    const { ref, workflowId } = await begun({}, encoding);
    await suite.temporal.workflow.getHandle(workflowId).terminate();
    expect(await encoding.resume(ref)).toMatchObject({ resumed: true });
    // The codecs have seen whose payload it is.
    expect(owners).toContain(workflowId);
  });
});

test.each([
  ['running', async () => {}],
  [
    'completed',
    (workflowId: string) => suite.worker.complete(workflowId, { output: 1, usage: NO_USAGE }),
  ],
])('a run that is %s stays as it is', async (status, end) => {
  const { ref, workflowId, runId } = await begun();
  await end(workflowId);
  expect(await suite.client.resume(ref)).toMatchObject({
    status,
    runId,
    replayed: true,
    resumed: false,
  });
});

describe('nothing is started, and it is said why,', () => {
  /** The executions that there are under an ID. */
  async function executionsOf(workflowId: string): Promise<string[]> {
    const { raw } = await suite.temporal.workflow.getHandle(workflowId).describe();
    return [raw.workflowExecutionInfo?.execution?.runId ?? ''];
  }

  test('of a key that names no run', async () => {
    const ref = { agent: 'support', key: `k-${randomUUID()}` };
    expect(await codeOf(suite.client.resume(ref))).toBe('run.not_found');
  });

  test('of a run that was forgotten', async () => {
    const { ref, workflowId } = await begun();
    await suite.worker.fail(workflowId, FAILURE);
    await suite.client.forget(ref);
    await expect(suite.client.resume(ref)).rejects.toMatchObject({
      code: 'run.not_found',
      message: expect.stringContaining('was forgotten'),
    });
  });

  test('of a run that is forgotten while it is resumed', async () => {
    const { ref, workflowId } = await begun();
    await suite.worker.fail(workflowId, FAILURE);
    const { connection } = suite.temporal;
    const temporal = new Client({
      connection,
      namespace: suite.namespace,
      interceptors: {
        workflow: [
          {
            // It has found the failed run by then.
            start: async (input, next) => {
              await suite.client.forget(ref);
              return next(input);
            },
          },
        ],
      },
    });
    await expect(new AgentOnceClient({ temporal }).resume(ref)).rejects.toMatchObject({
      code: 'run.not_found',
      message: expect.stringContaining('was forgotten'),
    });
  });

  test('of a run whose key has expired: a start would make a new one', async () => {
    const registry = brief();
    const client = suite.clientWith({ registry });
    const { ref, workflowId, runId } = await begun({}, client);
    await suite.worker.fail(workflowId, FAILURE);
    await eventually(async () => {
      expect(await codeOf(client.resume(ref))).toBe('run.expired');
    });
    expect(await executionsOf(workflowId)).toEqual([runId]);
  });

  test('of a run whose request Temporal has deleted: it has to be brought along', async () => {
    const { ref, request, workflowId, runId } = await begun();
    await suite.worker.continueAsNew(workflowId);
    await suite.worker.fail(workflowId, FAILURE);
    await suite.temporal.workflowService.deleteWorkflowExecution({
      namespace: suite.namespace,
      workflowExecution: { workflowId, runId },
    });
    await eventually(async () => {
      const gone = suite.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
      await expect(gone).rejects.toThrow();
    });
    expect(await codeOf(suite.client.resume(ref))).toBe('run.request_unknown');
    const resumed = await suite.client.start({ ...request, retryFailed: true });
    expect(resumed).toMatchObject({ resumed: true });
  });
});

/** IDs of workflows whose payloads a codec was given. */
const owners: string[] = [];

/** A codec that wraps a payload into another one, and refuses what it has not wrapped. */
function codec(name: string): NonNullable<DataConverter['payloadCodecs']>[number] {
  return {
    encode: (payloads, context) => {
      if (context?.type === 'workflow') owners.push(context.workflowId);
      return Promise.resolve(
        payloads.map((payload): Payload => ({
          metadata: { encoding: Buffer.from(name) },
          data: Buffer.from(
            JSON.stringify({
              encoding: Buffer.from(payload.metadata?.['encoding'] ?? []).toString(),
              data: Buffer.from(payload.data ?? []).toString('base64'),
            }),
          ),
        })),
      );
    },
    decode: (payloads) =>
      Promise.resolve(
        payloads.map((payload): Payload => {
          const encoding = Buffer.from(payload.metadata?.['encoding'] ?? []).toString();
          if (encoding !== name) throw new Error(`${name} cannot decode ${encoding}`);
          const inner = JSON.parse(Buffer.from(payload.data ?? []).toString()) as {
            encoding: string;
            data: string;
          };
          return {
            metadata: { encoding: Buffer.from(inner.encoding) },
            data: Buffer.from(inner.data, 'base64'),
          };
        }),
      ),
  };
}

function withConverter(dataConverter: DataConverter): AgentOnceClient {
  const { connection } = suite.temporal;
  const temporal = new Client({ connection, namespace: suite.namespace, dataConverter });
  return new AgentOnceClient({ temporal });
}

/** Agents whose keys live for a millisecond after the run. */
function brief(): AgentDirectory {
  const settings = { keyTtlMs: 1, maxTurns: 9 } as ReturnType<AgentDirectory['settingsOf']>;
  return { names: () => ['support'], settingsOf: () => settings };
}
