import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startBackgroundEndpoint } from '../../../../../test/support/background-endpoint.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import { startRedis, type RedisServer } from '../../../../../test/support/redis-server.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../../test/support/system.ts';
import { untilEnd } from '../../../../../test/support/until-end.ts';

/** What a Redis without the operator's word serves. */
const SERVED = { TEST_WITHOUT_EFFECTS: 'transactional,at-most-once' };
/** What one with it serves too. */
const DURABLE = { TEST_WITHOUT_EFFECTS: 'transactional', AGENT_ONCE_REDIS_DURABLE: 'on' };

describe('runs on a Redis ledger', () => {
  let redis: RedisServer;
  let system: TestSystem;
  beforeAll(async () => {
    redis = await startRedis();
    system = await startTestSystem(undefined, redis.url);
  });
  afterAll(async () => {
    await (system as TestSystem | undefined)?.close();
    await (redis as RedisServer | undefined)?.stop();
  });

  const started = async (...answers: Parameters<typeof script>) => {
    const { key, workflowId } = await system.client.start({
      agent: 'tester',
      input: script(...answers),
    });
    const { raw } = await system.temporal.workflow.getHandle(workflowId).describe();
    return { agent: 'tester', key, scope: raw.workflowExecutionInfo?.firstRunId ?? '' };
  };
  const endOf = (run: { agent: string; key: string }) => untilEnd(system.client, run);

  describe('that goes on', () => {
    test('make each call once, and hold the conversation', async () => {
      const worker = await system.startWorker(SERVED);
      const label = 'plain';
      const run = await started(
        calls(['look', { label }], ['charge', { label }], ['book', { label }]),
        calls(['charge', { label: 'second' }]),
        { say: 'done' },
      );
      expect(await endOf(run)).toMatchObject({
        status: 'completed',
        result: 'done',
        usage: { modelCalls: 3 },
      });
      for (const name of ['look:plain', 'charge:plain', 'book:plain', 'charge:second']) {
        expect([name, system.counter.requests(name)]).toEqual([name, 1]);
      }
      const steps = await system.ledger.steps(run.scope);
      expect(steps.map(({ step, state }) => `${step} ${state}`)).toEqual([
        't1.model completed',
        't1.c0 completed',
        't1.c1 completed',
        't1.c2 completed',
        't2.model completed',
        't2.c0 completed',
        't3.model completed',
      ]);
      await worker.stop();
    });

    test('a worker killed while an answer is made in the background: another one fetches it', async () => {
      const endpoint = await startBackgroundEndpoint();
      endpoint.reset();
      endpoint.state.held = true;
      const env = { ...SERVED, ...endpoint.env };
      const first = await system.startWorker(env);
      const run = await started({ say: 'not asked' });
      const model = () => system.ledger.step(run.scope, 't1.model');
      await eventually(async () => expect((await model())?.asking?.pending).toBeDefined());
      await first.kill();
      const second = await system.startWorker(env);
      try {
        endpoint.state.held = false;
        expect(await endOf(run)).toMatchObject({ status: 'completed', result: 'made' });
        expect(endpoint.counts).toMatchObject({ creates: 1, cancels: 0 });
        expect(await model()).toMatchObject({ attempts: 2, unknownAttempts: 0, errors: [] });
      } finally {
        await second.kill();
        await endpoint.stop();
      }
    });

    test.each([
      ['after-claim', 'book', 1],
      ['after-effect', 'book', 1],
      ['after-effect', 'charge', 2],
      ['after-record', 'charge', 1],
      ['before-report', 'look', 1],
    ])('a worker killed %s of %s: another one finishes the run', async (point, tool, requests) => {
      const label = `${point}-${tool}`;
      const [first, second] = await Promise.all([
        system.startWorker({ ...SERVED, AGENT_ONCE_FAULT: `${point}:${tool}` }),
        system.startWorker({ ...SERVED, TEST_STANDBY: '1' }),
      ]);
      const run = await started(calls([tool, { label }]), { say: 'ok' });
      expect(await first.untilEnded()).toBe('SIGKILL');
      second.go();
      expect(await endOf(run)).toMatchObject({ status: 'completed', usage: { modelCalls: 2 } });
      expect(system.counter.requests(`${tool}:${label}`)).toBe(requests);
      if (tool === 'charge') expect(system.counter.effects(`charge:${label}`)).toBe(1);
      await second.stop();
    });
  });

  test('whose Redis is killed in the middle go on when it is back, and repeat nothing', async () => {
    const worker = await system.startWorker(SERVED);
    const run = await started(
      calls(['charge', { label: 'outage' }]),
      { ...(calls(['book', { label: 'outage' }]) as object), delayMs: 1_000 },
      { say: 'through' },
    );
    const asked = async (step: string) =>
      (await system.modelRequests()).byToken[`${run.scope}:${step}`];
    // The model is being asked: its answer will find no Redis to be recorded in.
    await eventually(async () => expect(await asked('t2.model')).toBe(1));
    await redis.kill();
    await expect(system.ledger.steps(run.scope)).rejects.toMatchObject({
      code: 'ledger.unreachable',
    });
    // Longer than the lease, so that the claim is over when it is back.
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect((await system.client.describe(run)).status).toBe('running');
    await redis.restart();

    expect(await endOf(run)).toMatchObject({ status: 'completed', result: 'through' });
    expect([await asked('t1.model'), await asked('t2.model'), await asked('t3.model')]).toEqual([
      1, 1, 1,
    ]);
    expect(system.counter.requests('charge:outage')).toBe(1);
    expect(system.counter.requests('book:outage')).toBe(1);
    await worker.stop();
  });

  test('with a tool at most once, on a Redis that is declared durable, stop and ask', async () => {
    const worker = await system.startWorker(DURABLE);
    system.counter.drop('send:cut');
    const run = await started(calls(['send', { label: 'cut' }]), { say: 'ok' });
    await eventually(async () =>
      expect((await system.client.describe(run)).status).toBe('waiting'),
    );
    // A claim, a question and an answer outlive the server's process.
    await redis.kill();
    await redis.restart();
    await eventually(() =>
      system.client.decide(run, { step: 't1.c0', decision: 'happened', by: 'ann' }),
    );
    expect(await endOf(run)).toMatchObject({ status: 'completed', result: 'ok' });
    expect(system.counter.requests('send:cut')).toBe(1);
    expect(await system.ledger.step(run.scope, 't1.c0')).toMatchObject({ knownBy: 'person' });
    await worker.stop();
  });

  describe('a worker does not start', () => {
    test('with a transactional tool', async () => {
      const start = system.startWorker();
      await expect(start).rejects.toThrow(/The tool "(note|sleepy_note)" is transactional/);
    });

    test('with a tool at most once, without the operator’s word', async () => {
      const start = system.startWorker({ ...DURABLE, AGENT_ONCE_REDIS_DURABLE: 'off' });
      await expect(start).rejects.toThrow(/The tool "send" runs at most once/);
    });

    test('with that word on a Redis whose settings say otherwise', async () => {
      await redis.command('CONFIG', 'SET', 'appendfsync', 'everysec');
      try {
        await expect(system.startWorker(DURABLE)).rejects.toThrow(/has appendfsync everysec/);
      } finally {
        await redis.command('CONFIG', 'SET', 'appendfsync', 'always');
      }
    });
  });
});
