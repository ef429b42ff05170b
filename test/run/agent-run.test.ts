import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
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

async function run(input: ReturnType<typeof script>, agent = 'tester') {
  const { key } = await system.client.start({ agent, input });
  return untilEnd(system.client, { agent, key });
}

const scopeOf = ({ workflowId }: { workflowId: string }) => system.scopeOf(workflowId);

describe('a run', () => {
  test('calls the model, runs its tools, and returns the final answer with what it cost', async () => {
    const view = await run(
      script(
        calls(['look', { label: 'a' }], ['charge', { label: 'a' }]),
        calls(['note', { label: 'a' }]),
        { say: 'All done.', usage: { inputTokens: 100, outputTokens: 10 } },
      ),
    );
    expect(view).toMatchObject({
      status: 'completed',
      result: 'All done.',
      error: null,
      usage: { turns: 3, modelCalls: 3, toolCalls: 3, costUsd: null },
    });
    expect(system.counter.requests('look:a')).toBe(1);
    expect(system.counter.requests('charge:a')).toBe(1);
    const scope = await scopeOf(view);
    const { rows } = await system.sql.query<{ token: string }>(
      "SELECT token FROM notes WHERE label = 'a'",
    );
    expect(rows).toEqual([{ token: `${scope}:t2.c0` }]);

    const steps = await system.ledger.steps(scope);
    expect(steps.map(({ step, state, attempts }) => [step, state, attempts])).toEqual([
      ['t1.model', 'completed', 1],
      ['t1.c0', 'completed', 1],
      ['t1.c1', 'completed', 1],
      ['t2.model', 'completed', 1],
      ['t2.c0', 'completed', 1],
      ['t3.model', 'completed', 1],
    ]);
  });

  test('tells whoever waits for it all that a later look shows', async () => {
    const input = script({ say: 'ok' });
    const started = await system.client.start({ agent: 'tester', input });
    const view = await untilEnd(system.client, started, { runId: started.runId });
    expect(view).toMatchObject({ status: 'completed', runId: started.runId });
    expect(view).toEqual(await system.client.describe(started));
  });

  test('sends each model call with its own token, and a tool the token of its step', async () => {
    const view = await run(script(calls(['charge', { label: 'tokens' }]), { say: 'ok' }));
    const scope = await scopeOf(view);
    const { byToken } = await system.modelRequests();
    expect(byToken[`${scope}:t1.model`]).toBe(1);
    expect(byToken[`${scope}:t2.model`]).toBe(1);
    expect(system.counter.effects('charge:tokens')).toBe(1);
  });

  test('makes one call of identical calls in one turn, and answers each', async () => {
    const view = await run(
      script(
        calls(
          ['charge', { label: 'twin' }],
          ['charge', { label: 'twin' }],
          ['charge', { label: 'other' }],
        ),
        { say: 'ok' },
      ),
    );
    expect(view).toMatchObject({ status: 'completed', usage: { toolCalls: 2 } });
    expect(system.counter.requests('charge:twin')).toBe(1);
    expect(system.counter.requests('charge:other')).toBe(1);
  });

  test('gives wrong arguments and unknown tools back to the model', async () => {
    const view = await run(
      script(
        {
          calls: [
            { name: 'no_such_tool', arguments: {} },
            { name: 'charge', arguments: { label: 7 } },
            { name: 'charge', arguments: '{"label":' },
          ],
        },
        calls(['charge', { label: 'corrected' }]),
        { say: 'ok' },
      ),
    );
    expect(view).toMatchObject({ status: 'completed', usage: { turns: 3, toolCalls: 1 } });
    expect(system.counter.requests('charge:corrected')).toBe(1);
    const scope = await scopeOf(view);
    const first = await system.ledger.step(scope, 't1.model');
    const recorded = first?.result as unknown as { calls: { refusal?: string }[] };
    expect(recorded.calls.map((call) => call.refusal)).toEqual([
      expect.stringContaining('no tool of this name'),
      expect.stringContaining('label'),
      expect.stringContaining('not valid JSON'),
    ]);
  });

  test('ends with a typed failure at its turn limit, and says how to go on', async () => {
    const view = await run(
      script(calls(['look', { label: '1' }]), calls(['look', { label: '2' }]), { say: 'late' }),
      'short',
    );
    expect(view).toMatchObject({
      status: 'failed',
      error: { code: 'run.turn_limit', message: expect.stringContaining('maxTurns') },
      usage: { turns: 2, modelCalls: 2, toolCalls: 2 },
    });
  });

  test('of an agent that the worker does not know fails at once', async () => {
    const careless = new AgentOnceClient({ temporal: system.temporal });
    const { key } = await careless.start({ agent: 'nobody', input: 'hello' });
    const view = await untilEnd(careless, { agent: 'nobody', key });
    expect(view).toMatchObject({ status: 'failed', error: { code: 'agent.unknown' } });
  });

  test('started by a caller that does not know the agents gets its settings from the worker', async () => {
    const careless = new AgentOnceClient({ temporal: system.temporal });
    const input = script(calls(['look', { label: 'c' }]), calls(['look', { label: 'd' }]), {
      say: 'late',
    });
    const { key } = await careless.start({ agent: 'short', input });
    const view = await untilEnd(careless, { agent: 'short', key });
    expect(view).toMatchObject({ status: 'failed', error: { code: 'run.turn_limit' } });
  });

  test('counts money where the price is known, and says null where it is not', async () => {
    const input = script({ say: 'ok', usage: { inputTokens: 1_000_000, outputTokens: 100_000 } });
    const priced = await system.client.start({
      agent: 'tester',
      input,
      options: { model: 'gpt-4o-mini' },
    });
    const view = await untilEnd(system.client, { agent: 'tester', key: priced.key });
    expect(view.usage).toMatchObject({ inputTokens: 1_000_000, outputTokens: 100_000 });
    expect(view.usage?.costUsd).toBeCloseTo(0.15 + 0.06, 9);
    expect((await run(input)).usage?.costUsd).toBeNull();
  });
});

describe('a tool', () => {
  test('that throws is tried again as its policy says', async () => {
    const view = await run(script(calls(['flaky', { failures: 2 }]), { say: 'ok' }));
    expect(view.status).toBe('completed');
    const step = await system.ledger.step(await scopeOf(view), 't1.c0');
    expect(step).toMatchObject({ state: 'completed', attempts: 3, result: { attempt: 3 } });
    expect(step?.errors.map((error) => error.message)).toEqual([
      'Error: failure 1',
      'Error: failure 2',
    ]);
  });

  test('that throws in every attempt fails the run, once', async () => {
    const before = system.counter.requests('flaky');
    const view = await run(script(calls(['flaky', { failures: 9 }]), { say: 'never' }));
    expect(view).toMatchObject({
      status: 'failed',
      error: { code: 'tool.failed', message: expect.stringContaining('failure 3') },
      usage: { modelCalls: 1 },
    });
    expect(system.counter.requests('flaky') - before).toBe(3);
  });

  test.each([
    ['bigint', 'tool.result_invalid'],
    ['map', 'tool.result_invalid'],
    ['circular', 'tool.result_invalid'],
    ['huge', 'tool.result_too_large'],
  ])('that returns %s fails as %s without another attempt', async (how, code) => {
    const view = await run(script(calls(['odd', { how }]), { say: 'never' }));
    expect(view).toMatchObject({ status: 'failed', error: { code } });
    expect(system.counter.requests(`odd:${how}`)).toBe(1);
  });

  test('that throws 5 MB fails with a short message', async () => {
    const view = await run(script(calls(['odd', { how: 'loud' }]), { say: 'never' }));
    expect(view).toMatchObject({ status: 'failed', error: { code: 'tool.failed' } });
    expect(view.error?.message.length).toBeLessThan(4_096);
  });

  test('that throws half of a surrogate pair fails like any other, and its worker goes on', async () => {
    const view = await run(script(calls(['odd', { how: 'half-a-pair' }]), { say: 'never' }));
    expect(view).toMatchObject({
      status: 'failed',
      error: { code: 'tool.failed', message: expect.stringContaining('declined: \ufffd') },
    });
    expect(await run(script({ say: 'ok' }))).toMatchObject({ status: 'completed' });
  });

  test('that throws what is no error fails like one', async () => {
    const view = await run(script(calls(['odd', { how: 'error-object' }]), { say: 'never' }));
    expect(view).toMatchObject({ status: 'failed', error: { code: 'tool.failed' } });
  });

  test('that returns nothing has the result null', async () => {
    const view = await run(script(calls(['odd', { how: 'undefined' }]), { say: 'ok' }));
    expect(view.status).toBe('completed');
    expect((await system.ledger.step(await scopeOf(view), 't1.c0'))?.result).toBeNull();
  });

  test('with a large result keeps it whole in the ledger, compressed, and small in history', async () => {
    const view = await run(script(calls(['odd', { how: 'large' }]), { say: 'ok' }));
    const step = await system.ledger.step(await scopeOf(view), 't1.c0');
    expect(step?.result).toHaveLength(40_000);
    const { rows } = await system.sql.query<{ stored: number }>(
      'SELECT octet_length(result) AS stored FROM agent_once.steps WHERE scope = $1 AND step = $2',
      [await scopeOf(view), 't1.c0'],
    );
    expect(rows[0]?.stored).toBeLessThan((step?.resultBytes ?? 0) / 2);
    const { raw } = await system.temporal.workflow.getHandle(view.workflowId).describe();
    expect(Number(raw.workflowExecutionInfo?.historySizeBytes)).toBeLessThan(40_000);
  });
});
