import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRegistry } from '../../src/define/registry.ts';
import type { StartRequest } from '../../src/client/types.ts';
import { fingerprintOf } from '../../src/contract/fingerprint.ts';
import { NO_USAGE, type AgentRunInput, type RunOptions } from '../../src/contract/run.ts';
import { codeOf, startClientSuite, type ClientSuite } from '../support/client-suite.ts';

let suite: ClientSuite;

beforeAll(async () => {
  suite = await startClientSuite();
});
afterAll(() => suite.close());

const FAILURE = { type: 'model.quota_exhausted', message: 'No credit.' };
const input = { order: 1 };
const elsewhere = { options: { model: 'b' }, retryFailed: true } as const;

/** A run that has failed, and the request that started it. */
async function failed(more: Partial<StartRequest> = {}) {
  const request = { agent: 'support', key: `k-${randomUUID()}`, input, ...more };
  const { workflowId, runId } = await suite.client.start(request);
  await suite.worker.fail(workflowId, FAILURE);
  return { request, ref: { agent: request.agent, key: request.key }, workflowId, runId };
}

/** What the current execution under an ID was started with. */
async function argumentOf(workflowId: string): Promise<Partial<AgentRunInput>> {
  const history = await suite.temporal.workflow.getHandle(workflowId).fetchHistory();
  const [payload] =
    history.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  return JSON.parse(Buffer.from(payload?.data ?? []).toString()) as Partial<AgentRunInput>;
}

async function fingerprintIn(workflowId: string): Promise<unknown> {
  const { memo } = await suite.temporal.workflow.getHandle(workflowId).describe();
  return memo?.['fingerprint'];
}

const fingerprintWith = (options?: RunOptions) =>
  fingerprintOf({ tenant: 'default', agent: 'support', input, ...(options ? { options } : {}) });

describe('a run is resumed with another model', () => {
  test('as limits: its request stays the first one, and what is not named is kept', async () => {
    const options = { model: 'a' };
    const { ref, request, workflowId } = await failed({ options, limits: { maxTurns: 7 } });
    const limits = { model: 'b', reasoningEffort: 'low', maxOutputTokens: 900 };
    expect(await suite.client.resume(ref, { limits })).toMatchObject({ resumed: true });
    expect(await argumentOf(workflowId)).toMatchObject({
      input,
      options,
      limits: { ...limits, maxTurns: 7 },
    });
    expect(await fingerprintIn(workflowId)).toBe(fingerprintWith(options));
    // The same request, for whoever has it.
    expect(await suite.client.start(request)).toMatchObject({ replayed: true });

    await suite.worker.fail(workflowId, FAILURE);
    await suite.client.resume(ref, { limits: { model: 'c' } });
    expect((await argumentOf(workflowId)).limits).toEqual({ ...limits, model: 'c', maxTurns: 7 });
    await suite.worker.fail(workflowId, FAILURE);
    await suite.client.resume(ref);
    expect((await argumentOf(workflowId)).limits).toEqual({ ...limits, model: 'c', maxTurns: 7 });
  });

  test.each<[string, RunOptions | undefined]>([
    ['the model of its agent', undefined],
    ['a model of its own', { model: 'a' }],
    ['a model of its own, as a rehearsal', { model: 'a', shadow: true }],
  ])('by its request, which began with %s', async (_what, options) => {
    const { request, workflowId, runId } = await failed(options ? { options } : {});
    const again = {
      ...request,
      ...elsewhere,
      options: { ...elsewhere.options, ...(options?.shadow ? { shadow: true as const } : {}) },
    };
    const resumed = await suite.client.start(again);
    expect(resumed).toMatchObject({ resumed: true, replayed: false });
    const argument = await argumentOf(workflowId);
    expect(argument).toMatchObject({
      limits: { model: 'b' },
      scope: expect.stringContaining(runId),
    });
    expect(argument.options).toEqual(options);
    expect(await fingerprintIn(workflowId)).toBe(fingerprintWith(options));

    // Repeated while it goes on, and after its end; and so is the first request.
    const { runId: current } = resumed;
    for (const status of ['running', 'completed']) {
      for (const repeated of [again, request, { ...request, retryFailed: true }]) {
        const view = await suite.clientWith({}).start(repeated);
        expect(view).toMatchObject({ runId: current, status, replayed: true });
      }
      if (status === 'running') {
        await suite.worker.complete(workflowId, { output: 1, usage: NO_USAGE });
      }
    }
  });

  test('and with another one once more, when it has failed again', async () => {
    const { request, workflowId } = await failed();
    await suite.client.start({ ...request, ...elsewhere, limits: { reasoningEffort: 'low' } });
    expect((await argumentOf(workflowId)).limits).toEqual({ model: 'b', reasoningEffort: 'low' });
    await suite.worker.fail(workflowId, FAILURE);
    await suite.client.start({ ...request, ...elsewhere, options: { model: 'c' } });
    expect((await argumentOf(workflowId)).limits).toEqual({ model: 'c' });
    // The first request says no model: it goes on with the run's own.
    await suite.worker.fail(workflowId, FAILURE);
    await suite.client.start({ ...request, retryFailed: true });
    expect((await argumentOf(workflowId)).limits).toBeUndefined();
    expect(await fingerprintIn(workflowId)).toBe(fingerprintWith());
  });

  test('by many at once, who name different ones: one execution', async () => {
    const { request, ref, workflowId } = await failed();
    const all = await Promise.all(
      Array.from({ length: 12 }, (_, at) => {
        const client = suite.clientWith({});
        if (at % 3 === 0) return client.resume(ref);
        return client.start({ ...request, ...elsewhere, options: { model: `m${at % 3}` } });
      }),
    );
    expect(new Set(all.map(({ runId }) => runId)).size).toBe(1);
    expect(all.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await fingerprintIn(workflowId)).toBe(fingerprintWith());
  });

  test('while it has not failed, it stays as it is', async () => {
    const request = { agent: 'support', key: `k-${randomUUID()}`, input };
    const { runId, workflowId } = await suite.client.start(request);
    const again = { ...request, ...elsewhere };
    expect(await suite.client.start(again)).toMatchObject({ runId, replayed: true });
    await suite.worker.complete(workflowId, { output: 1, usage: NO_USAGE });
    expect(await suite.client.start(again)).toMatchObject({ runId, replayed: true, result: 1 });
  });

  test('and is shown with it, not with its agent’s', async () => {
    const agents = [{ name: 'support', description: 'd', instructions: 'i', tools: [] }];
    const registry = createRegistry(agents, { defaultModel: 'model-a' });
    const { ref, workflowId } = await failed();
    const limits = { model: 'model-b', reasoningEffort: 'low', maxOutputTokens: 900 };
    await suite.clientWith({ registry }).resume(ref, { limits });
    const details = await (
      await suite.temporal.workflow.getHandle(workflowId).describe()
    ).staticDetails();
    for (const shown of ['model-b', 'low', '900']) expect(details).toContain(`\`${shown}\``);
    expect(details).not.toContain('model-a');
  });
});

describe('it is another request, and a conflict that says nothing of the first one,', () => {
  test.each<[string, Partial<StartRequest>]>([
    ['with another input', { ...elsewhere, input: { order: 2 } }],
    ['as a rehearsal', { ...elsewhere, options: { model: 'b', shadow: true } }],
    ['with another model, and not to be resumed', { options: { model: 'b' } }],
    ['without its model', { retryFailed: true }],
  ])('%s', async (_what, more) => {
    const { request, workflowId, runId } = await failed({ options: { model: 'secret-model' } });
    const { options: _first, ...without } = request;
    const error: unknown = await suite.client.start({ ...without, ...more }).catch((it) => it);
    expect(error).toMatchObject({ code: 'key.conflict' });
    expect(String(error)).not.toContain('secret-model');
    expect(await suite.temporal.workflow.getHandle(workflowId).describe()).toMatchObject({ runId });
  });

  test('when a rehearsal is to become a real run', async () => {
    const { request } = await failed({ options: { shadow: true } });
    expect(await codeOf(suite.client.start({ ...request, ...elsewhere }))).toBe('key.conflict');
  });
});

describe('where there is nothing to resume', () => {
  test('another model makes a new run, of which it is a part', async () => {
    const request = { agent: 'support', key: `k-${randomUUID()}`, input, ...elsewhere };
    const { workflowId } = await suite.client.start(request);
    const { options, limits } = await argumentOf(workflowId);
    expect({ options, limits }).toEqual({ options: { model: 'b' }, limits: undefined });
    expect(await fingerprintIn(workflowId)).toBe(fingerprintWith({ model: 'b' }));
  });

  test.each([{ model: 'b' }, { reasoningEffort: 'low' }, { maxOutputTokens: 900 }])(
    'nothing is started with the limits %j',
    async (limits) => {
      const request = { agent: 'support', key: `k-${randomUUID()}`, input, limits };
      const nowhere = suite.clientWith({ temporal: {} as never });
      expect(await codeOf((async () => nowhere.start(request))())).toBe('options.invalid');
      const resuming = { ...request, retryFailed: true };
      expect(await codeOf(suite.client.start(resuming))).toBe('run.not_found');

      const ended = await failed();
      await suite.client.forget(ended.ref);
      const forgotten = { ...ended.request, retryFailed: true, limits };
      expect(await codeOf(suite.client.start(forgotten))).toBe('run.not_found');
    },
  );

  test.each([
    { model: ' ' },
    { model: 'a\u0000' },
    { reasoningEffort: 'Very much' },
    { maxOutputTokens: 0 },
    { maxTurns: 1.5 },
  ])('and with limits such as %j nothing is resumed', async (limits) => {
    const { ref, workflowId, runId } = await failed();
    expect(await codeOf(suite.client.resume(ref, { limits }))).toBe('options.invalid');
    expect(await suite.temporal.workflow.getHandle(workflowId).describe()).toMatchObject({ runId });
  });
});
