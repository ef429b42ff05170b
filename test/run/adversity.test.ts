import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LIMITS } from '../../src/contract/limits.ts';
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

async function run(input: ReturnType<typeof script>) {
  const { key } = await system.client.start({ agent: 'tester', input });
  return untilEnd(system.client, { agent: 'tester', key });
}

describe('the model', () => {
  test.each([
    [
      'rate-limited with retry-after-ms',
      { kind: 'status', status: 429, headers: { 'retry-after-ms': '30' } },
    ],
    ['failing with 500', { kind: 'status', status: 500 }],
    ['breaking off in the middle', { kind: 'break' }],
    ['answering with malformed JSON', { kind: 'malformed-json' }],
    ['answering with a page of HTML', { kind: 'html' }],
  ])('%s is asked again, with the same token', async (_name, fault) => {
    const view = await run(script({ say: 'ok', fault }));
    expect(view).toMatchObject({ status: 'completed', result: 'ok' });
    const { raw } = await system.temporal.workflow.getHandle(view.workflowId).describe();
    const { byToken } = await system.modelRequests();
    expect(byToken[`${raw.workflowExecutionInfo?.firstRunId}:t1.model`]).toBe(2);
  });

  test.each([
    ['out of quota', { kind: 'insufficient-quota' }, 'model.quota_exhausted'],
    ['refusing the request', { kind: 'status', status: 400 }, 'model.rejected'],
  ])('%s fails the run at once', async (_name, fault, code) => {
    const view = await run(script({ say: 'never', fault }));
    expect(view).toMatchObject({ status: 'failed', error: { code } });
    const { raw } = await system.temporal.workflow.getHandle(view.workflowId).describe();
    const { byToken } = await system.modelRequests();
    expect(byToken[`${raw.workflowExecutionInfo?.firstRunId}:t1.model`]).toBe(1);
  });

  test('stopping at its output limit fails the run: half an answer is none', async () => {
    const view = await run(script({ say: 'half an ans', finish: 'length' }));
    expect(view).toMatchObject({ status: 'failed', error: { code: 'model.truncated' } });
  });

  test('failing in every attempt fails the run with what it said', async () => {
    const view = await run(
      script({ say: 'never', fault: { kind: 'status', status: 503, times: 'always' } }),
    );
    expect(view).toMatchObject({ status: 'failed', error: { code: 'model.unavailable' } });
  });
});

describe('sizes', () => {
  test('an input of exactly 1 MiB reaches the model', async () => {
    const input = 'x'.repeat(LIMITS.inputBytes - 2);
    const { key } = await system.client.start({ agent: 'tester', input });
    const view = await untilEnd(system.client, { agent: 'tester', key });
    expect(view).toMatchObject({ status: 'completed' });
    expect(view.usage?.inputTokens).toBeGreaterThan(200_000);
  });

  test('an answer over 1 MiB fails the run, without asking again', async () => {
    const message = { role: 'assistant', content: 'y'.repeat(LIMITS.outputBytes) };
    const body = {
      id: 'long',
      object: 'chat.completion',
      created: 0,
      model: 'scripted',
      choices: [{ index: 0, message, finish_reason: 'stop' }],
    };
    const response = await fetch(new URL('/faults', system.model.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        faults: [{ kind: 'status', status: 200, body }],
        match: 'a very long answer',
      }),
    });
    expect(response.ok).toBe(true);
    const view = await run('a very long answer');
    expect(view).toMatchObject({ status: 'failed', error: { code: 'output.too_large' } });
  });
});

describe('cancelling', () => {
  test('aborts the model request in flight', async () => {
    const { key, workflowId } = await system.client.start({
      agent: 'tester',
      input: script({ say: 'never', fault: { kind: 'hang', times: 'always' } }),
    });
    const { raw } = await system.temporal.workflow.getHandle(workflowId).describe();
    const token = `${raw.workflowExecutionInfo?.firstRunId}:t1.model`;
    await eventually(async () => {
      expect((await system.modelRequests()).byToken[token]).toBe(1);
    });
    await system.client.cancel({ agent: 'tester', key });
    // The step is awaited until it has ended: without the abort it would hang for five minutes.
    const view = await untilEnd(system.client, { agent: 'tester', key });
    expect(view).toMatchObject({ status: 'cancelled', error: { code: 'run.cancelled' } });
    expect(view.usage).toMatchObject({ turns: 1, modelCalls: 0 });
    const steps = await system.ledger.steps(raw.workflowExecutionInfo?.firstRunId ?? '');
    expect(steps).toMatchObject([{ step: 't1.model', state: 'failed' }]);
  });

  test('aborts a tool that is at work', async () => {
    const before = system.counter.requests('endless:begun');
    const { key } = await system.client.start({
      agent: 'tester',
      input: script(calls(['endless', {}]), { say: 'never' }),
    });
    await eventually(() => expect(system.counter.requests('endless:begun')).toBe(before + 1));
    await system.client.cancel({ agent: 'tester', key });
    const view = await untilEnd(system.client, { agent: 'tester', key });
    expect(view.status).toBe('cancelled');
  });
});

describe('a reset', () => {
  test('to an earlier turn repeats no effect and no model call', async () => {
    const view = await run(
      script(
        calls(['charge', { label: 'reset' }]),
        calls(['note', { label: 'reset' }]),
        calls(['look', { label: 'reset' }]),
        { say: 'once' },
      ),
    );
    const before = await system.modelRequests();
    const handle = system.temporal.workflow.getHandle(view.workflowId);
    const { events } = await handle.fetchHistory();
    const firstTask = events?.find((event) => event.workflowTaskCompletedEventAttributes);
    const { runId } = await system.temporal.workflowService.resetWorkflowExecution({
      namespace: system.temporal.options.namespace,
      workflowExecution: { workflowId: view.workflowId, runId: view.runId },
      workflowTaskFinishEventId: firstTask?.eventId ?? null,
      requestId: crypto.randomUUID(),
      reason: 'test',
    });
    expect(runId).not.toBe(view.runId);
    const after = await untilEnd(system.client, { agent: 'tester', key: view.key });
    expect(after).toMatchObject({ status: 'completed', result: 'once', usage: view.usage });
    expect(after.runId).toBe(runId);
    expect((await system.modelRequests()).requests).toBe(before.requests);
    expect(system.counter.requests('charge:reset')).toBe(1);
    expect(system.counter.requests('look:reset')).toBe(1);
    const { rows } = await system.sql.query("SELECT 1 FROM notes WHERE label = 'reset'");
    expect(rows).toHaveLength(1);
  });
});
