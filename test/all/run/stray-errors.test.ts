import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonValue } from '../../../src/contract/json-value.ts';
import type { StrayWay } from '../../support/stray-tools.ts';
import { eventually } from '../../support/eventually.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(async () => {
  await system.close();
});

let labels = 0;

interface Call {
  tool: 'read' | 'keyed' | 'transactional' | 'reconcile' | 'at_most_once';
  way: StrayWay;
  until?: number;
  end?: 'returns' | 'hangs' | 'obeys' | 'gone';
}

async function start({ tool, ...args }: Call, ...others: [string, JsonValue][]) {
  const label = `call-${(labels += 1)}`;
  const { key, workflowId } = await system.client.start({
    agent: 'stray',
    input: script(calls([`stray_${tool}`, { label, ...args }], ...others), { say: 'ok' }),
  });
  return { run: { agent: 'stray', key }, scope: await system.scopeOf(workflowId), label };
}

const endOf = (run: { agent: string; key: string }) => untilEnd(system.client, run);

describe('what a step throws where nothing awaits it fails that step, and its worker goes on:', () => {
  const ways: StrayWay[] = [
    'a floating promise',
    'a rejection at once',
    'a timer',
    'a callback of fs',
    'a listener of a socket',
    'an error event without a listener',
  ];
  const effects = ['read', 'keyed', 'transactional', 'reconcile'] as const;
  const all = ways.flatMap((way) => effects.map((tool) => ({ way, tool })));

  test.each(ways)('%s, of each effect that may be tried again', async (way) => {
    const worker = await system.startWorker();
    const started = await Promise.all(
      all.filter((each) => each.way === way).map(({ tool }) => start({ tool, way })),
    );
    for (const { run, scope, label } of started) {
      expect(await endOf(run)).toMatchObject({ status: 'completed', result: 'ok' });
      const step = await system.ledger.step(scope, 't1.c0');
      expect(step).toMatchObject({ state: 'completed', attempts: 2, unknownAttempts: 0 });
      expect(step?.errors).toMatchObject([
        { code: 'tool.failed', message: expect.stringContaining('that nothing awaits') },
      ]);
      expect(system.counter.requests(`stray:${label}`)).toBe(2);
    }
    const { rows } = await system.sql.query('SELECT 1 FROM notes WHERE label = ANY($1)', [
      started.map(({ label }) => label),
    ]);
    expect(rows).toHaveLength(1);
    await worker.stop();
    expect(await worker.ended).toBe(0);
  });

  test('in each attempt: the run fails with what was thrown', async () => {
    const worker = await system.startWorker();
    const { run } = await start({ tool: 'read', way: 'a timer', until: 9 });
    expect(await endOf(run)).toMatchObject({
      status: 'failed',
      error: { code: 'tool.failed', message: expect.stringContaining('Error: stray: a timer') },
    });
    await worker.stop();
    expect(await worker.ended).toBe(0);
  });

  test('a call beside it that runs at most once goes on, and nobody is asked', async () => {
    const worker = await system.startWorker();
    system.counter.hold('send:neighbour');
    const { run, scope } = await start({ tool: 'read', way: 'a timer' }, [
      'send',
      { label: 'neighbour' },
    ]);
    await eventually(async () => {
      expect(system.counter.requests('send:neighbour')).toBe(1);
      const step = await system.ledger.step(scope, 't1.c0');
      expect(step).toMatchObject({ state: 'completed', attempts: 2 });
    });
    system.counter.letGo('send:neighbour');
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    expect(await system.ledger.step(scope, 't1.c1')).toMatchObject({ knownBy: null, attempts: 1 });
    expect(await system.ledger.questions(scope)).toEqual([]);
    await worker.stop();
    expect(await worker.ended).toBe(0);
  });

  test('a rejection after the end of its step changes nothing', async () => {
    const worker = await system.startWorker();
    const { run, scope } = await start({
      tool: 'keyed',
      way: 'a floating promise',
      end: 'gone',
    });
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    await eventually(() => expect(worker.output()).toContain('stray: a floating promise'));
    expect(await system.ledger.step(scope, 't1.c0')).toMatchObject({ attempts: 1, errors: [] });
    await worker.stop();
    expect(await worker.ended).toBe(0);
  });
});

describe('a tool at most once', () => {
  test('whose floating promise rejects, and that returns all the same, is done', async () => {
    const worker = await system.startWorker();
    const { run, scope } = await start({
      tool: 'at_most_once',
      way: 'a floating promise',
      end: 'returns',
    });
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    expect(await system.ledger.step(scope, 't1.c0')).toMatchObject({ knownBy: null, attempts: 1 });
    expect(await system.ledger.questions(scope)).toEqual([]);
    await worker.stop();
  });

  test('whose floating promise rejects, and that does not return, is a question', async () => {
    const worker = await system.startWorker();
    const { run, label } = await start({ tool: 'at_most_once', way: 'a floating promise' });
    const { waiting } = await eventually(async () => {
      const view = await system.client.describe(run);
      expect(view.status).toBe('waiting');
      return view;
    });
    expect(waiting).toMatchObject([{ error: expect.stringContaining('a floating promise') }]);
    await system.client.decide(run, { step: 't1.c0', decision: 'happened', by: 'ann' });
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    expect(system.counter.requests(`stray:${label}`)).toBe(1);
    await worker.stop();
    expect(await worker.ended).toBe(0);
  });

  test('is not blamed for what a callback throws, whose context may be that of another', async () => {
    const worker = await system.startWorker({ TEST_GRACE_MS: '500' });
    const { run } = await start({ tool: 'at_most_once', way: 'a timer' });
    expect(await worker.untilEnded()).toBe(11);
    expect(worker.output()).toMatch(/^error Code in this worker threw.*\(worker\.stray_error\)$/m);
    // It did not end: nobody but a person knows how.
    const next = await system.startWorker();
    await eventually(async () =>
      expect(await system.client.describe(run)).toMatchObject({
        status: 'waiting',
        waiting: [{ kind: 'outcome', error: null }],
      }),
    );
    await system.client.cancel(run);
    await endOf(run);
    await next.stop();
  });
});

describe('where nobody knows whose code threw, the worker takes no new work, lets steps end, and ends with exit code 11:', () => {
  test.each<Call>([
    { tool: 'keyed', way: 'a listener on an emitter from outside', end: 'hangs' },
    { tool: 'keyed', way: 'a listener on an emitter from outside', end: 'obeys' },
    { tool: 'reconcile', way: 'a listener on an emitter from outside', end: 'hangs' },
  ])('$way, in each attempt of a $tool tool that $end: the run fails in the end', async (call) => {
    const workers = [];
    const { run, label } = await start({ ...call, until: 9 });
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      const worker = await system.startWorker({ TEST_GRACE_MS: '500' });
      expect(await worker.untilEnded()).toBe(11);
      workers.push(worker);
      expect(system.counter.requests(`stray:${label}`)).toBe(attempt);
    }
    const last = await system.startWorker();
    expect(await endOf(run)).toMatchObject({ status: 'failed' });
    expect(system.counter.requests(`stray:${label}`)).toBe(2);
    await last.stop();
  });

  test('a callback after the end of its step, which may be of another one', async () => {
    const worker = await system.startWorker();
    const { run, scope } = await start({ tool: 'keyed', way: 'a timer', end: 'gone' });
    expect(await worker.untilEnded()).toBe(11);
    const next = await system.startWorker();
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    expect(await system.ledger.step(scope, 't1.c0')).toMatchObject({ attempts: 1, errors: [] });
    await next.stop();
  });

  test('calls under way beside it end in their time, and are recorded', async () => {
    const worker = await system.startWorker();
    system.counter.hold('send:beside');
    const { run, scope } = await start(
      { tool: 'keyed', way: 'a listener on an emitter from outside', end: 'obeys' },
      ['send', { label: 'beside' }],
    );
    await eventually(() => expect(system.counter.requests('send:beside')).toBe(1));
    await eventually(() => expect(worker.output()).toContain('nobody knows of which step'));
    system.counter.letGo('send:beside');
    expect(await worker.untilEnded()).toBe(11);
    expect(await system.ledger.step(scope, 't1.c1')).toMatchObject({ state: 'completed' });
    const next = await system.startWorker();
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    expect(await system.ledger.questions(scope)).toEqual([]);
    await next.stop();
  });
});

test('a step in whose attempts the process dies each time has failed after as many attempts as it has', async () => {
  const tools = ['read', 'keyed', 'transactional', 'reconcile'] as const;
  const way = 'the death of its process';
  for (const tool of tools) {
    const { run, label, scope } = await start({ tool, way, until: 9 });
    for (let death = 1; death <= 2; death += 1) {
      const worker = await system.startWorker();
      expect(await worker.untilEnded()).toBe('SIGKILL');
    }
    const last = await system.startWorker();
    expect(await endOf(run)).toMatchObject({
      status: 'failed',
      error: { code: 'step.attempts_exhausted' },
    });
    expect(system.counter.requests(`stray:${label}`)).toBe(2);
    expect(await system.ledger.step(scope, 't1.c0')).toMatchObject({ attempts: 2 });
    await last.stop();
  }
});
