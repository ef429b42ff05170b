import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { AgentOnceClient } from '../../../src/client/agent-once-client.ts';
import { findFreePort } from '../../../src/extras/dev/ports.ts';
import { runBin } from '../../support/cli.ts';
import { eventually } from '../../support/eventually.ts';
import { startRedis, type RedisServer } from '../../support/redis-server.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

const REFUSED = /The ledger has refused this worker since .*\(worker\.refused\)/;
/** Of a worker whose ledger is Redis. */
const SERVED = { TEST_WITHOUT_EFFECTS: 'transactional,at-most-once' };

/** A user of the ledger's server that one worker has, and what an operator does to it. */
interface User {
  url: string;
  lockOut(how: string): Promise<void>;
  letIn(): Promise<void>;
}

let system: TestSystem;
let user: User;
let workerEnv: Record<string, string> = {};
let healthPort: number;

async function health(): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`http://127.0.0.1:${healthPort}/healthz`);
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
  };
}

async function startStale(limit: string) {
  healthPort = await findFreePort();
  return system.startWorker({
    ...workerEnv,
    LEDGER_URL: user.url,
    AGENT_ONCE_HEALTH_PORT: String(healthPort),
    AGENT_ONCE_REFUSED_LIMIT: limit,
    TEST_GRACE_MS: '1000',
  });
}

function endOf(run: { agent: string; key: string }) {
  return untilEnd(system.client, run);
}

/** The tests of one kind of ledger; `how` is what is done to the user. */
function testLockedOut(ways: readonly string[]): void {
  test.each(ways)(
    '%s: each run is done once by another worker, and the one that is refused ends with exit code 10',
    async (how) => {
      const label = `${how}-${randomUUID()}`;
      const stale = await startStale('4s');
      system.counter.hold(`charge:${label}`);
      const waits = await system.client.start({
        agent: 'tester',
        input: script(calls(['spend', { label, amount: 200 }]), { say: 'ok' }),
      });
      const asking = { agent: 'tester', key: waits.key };
      await eventually(async () =>
        expect((await system.client.describe(asking)).status).toBe('waiting'),
      );
      // Its effect has happened when the user is locked out, and is not recorded.
      const runs = [
        await system.client.start({
          agent: 'tester',
          input: script(calls(['charge', { label }]), { say: 'ok' }),
        }),
      ];
      await eventually(() => expect(system.counter.requests(`charge:${label}`)).toBe(1));
      await user.lockOut(how);
      system.counter.letGo(`charge:${label}`);
      const more = Array.from({ length: 8 }, (_, n) =>
        system.client.start({
          agent: 'tester',
          input: script(calls(['look', { label: `${label}-${n}` }]), { say: 'ok' }),
        }),
      );
      runs.push(...(await Promise.all(more)));
      await eventually(async () =>
        expect(await health()).toMatchObject({
          status: 503,
          body: { healthy: false, ledger: { refused: expect.stringContaining('since 20') } },
        }),
      );
      const deciding = system.client.decide(asking, {
        step: 't1.c0',
        decision: 'approve',
        by: 'ann',
      });
      const other = await system.startWorker(workerEnv);
      expect(await deciding).toMatchObject({ outcome: 'recorded' });
      for (const { key } of [waits, ...runs]) {
        expect(await endOf({ agent: 'tester', key })).toMatchObject({ status: 'completed' });
      }
      expect(system.counter.effects(`charge:${label}`)).toBe(1);
      expect(system.counter.effects(`spend:${label}`)).toBe(1);
      expect(await stale.untilEnded()).toBe(10);
      expect(stale.output()).toMatch(REFUSED);
      expect(stale.output()).not.toContain(new URL(user.url).password);
      await other.stop();
    },
  );

  test('an attempt that may have acted tells its fence, though the ledger refuses its worker', async () => {
    const worker = await startStale('1h');
    const label = randomUUID();
    system.counter.hold(`book:${label}`);
    const { key, workflowId } = await system.client.start({
      agent: 'tester',
      input: script(calls(['book', { label }]), { say: 'ok' }),
    });
    await eventually(() => expect(system.counter.requests(`book:${label}`)).toBe(1));
    await user.lockOut(ways[0] ?? '');
    system.counter.letGo(`book:${label}`);
    const handle = system.temporal.workflow.getHandle(workflowId);
    await eventually(async () => {
      const { raw } = await handle.describe();
      const details = raw.pendingActivities?.[0]?.lastFailure?.applicationFailureInfo?.details;
      const [first] = details?.payloads ?? [];
      expect(JSON.parse(String(Buffer.from(first?.data ?? [])))).toEqual({ fence: '1' });
    });
    await user.letIn();
    expect(await endOf({ agent: 'tester', key })).toMatchObject({ status: 'completed' });
    expect(system.counter.effects(`book:${label}`)).toBe(1);
    await worker.stop();
  });

  test('let in again before its limit, a worker goes on, and no attempt was used up', async () => {
    const worker = await startStale('1h');
    await user.lockOut(ways[0] ?? '');
    const { key, workflowId } = await system.client.start({
      agent: 'tester',
      input: script(calls(['look', { label: 'let-in' }]), { say: 'ok' }),
    });
    await eventually(async () => expect((await health()).status).toBe(503));
    await user.letIn();
    expect(await endOf({ agent: 'tester', key })).toMatchObject({ status: 'completed' });
    await eventually(async () => expect((await health()).status).toBe(200));
    const steps = await system.ledger.steps(await system.scopeOf(workflowId));
    expect(steps.map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
    await worker.stop();
    expect(await worker.ended).toBe(0);
  });
}

describe('a user of PostgreSQL that is locked out while runs go on,', () => {
  beforeAll(async () => {
    system = await startTestSystem();
    workerEnv = {};
  });
  afterAll(async () => {
    await system.close();
  });
  let role: string;
  beforeEach(async () => {
    role = `worker_${randomUUID().replaceAll('-', '')}`;
    await system.sql.query(`CREATE ROLE ${role} LOGIN PASSWORD 'one-4711' IN ROLE postgres`);
    const url = new URL(system.env['LEDGER_URL'] ?? '');
    url.username = role;
    url.password = 'one-4711';
    const endSessions = () =>
      system.sql.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1',
        [role],
      );
    user = {
      url: url.href,
      async lockOut(how) {
        const statements: Record<string, string> = {
          'by another password': `ALTER ROLE ${role} PASSWORD 'two-4712'`,
          'by NOLOGIN': `ALTER ROLE ${role} NOLOGIN`,
          'by its rights': `REVOKE postgres FROM ${role}`,
          'by its right to write': `REVOKE postgres FROM ${role};
            GRANT USAGE ON SCHEMA agent_once TO ${role};
            GRANT SELECT ON ALL TABLES IN SCHEMA agent_once TO ${role}`,
        };
        await system.sql.query(statements[how] ?? '');
        if (!how.startsWith('by its right')) await endSessions();
      },
      async letIn() {
        await system.sql.query(`ALTER ROLE ${role} LOGIN PASSWORD 'one-4711'`);
      },
    };
  });
  afterEach(async () => {
    await system.sql.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  testLockedOut(['by another password', 'by NOLOGIN', 'by its rights', 'by its right to write']);

  test('the command agent-once worker ends with that exit code, and says what to do', async () => {
    healthPort = await findFreePort();
    const command = runBin(['worker'], {
      ...system.env,
      LEDGER_URL: user.url,
      AGENT_ONCE_REFUSED_LIMIT: '1s',
      AGENT_ONCE_HEALTH_PORT: String(healthPort),
    });
    // While it starts, it looks at its rights, and says another thing.
    await eventually(async () => expect((await health()).status).toBe(200));
    await user.lockOut('by its rights');
    // It has the example's agents, not those of the tests.
    const client = new AgentOnceClient({ temporal: system.temporal });
    const { workflowId } = await client.start({ agent: 'support', input: 'Hello' });
    const { code, stderr } = await command;
    expect(code).toBe(10);
    expect(stderr).toMatch(REFUSED);
    expect(stderr).toContain('Start the worker again with the credentials');
    await system.temporal.workflow.getHandle(workflowId).terminate('test');
  });

  test('let in again, the worker records an effect at most once that had happened, and nobody is asked', async () => {
    const worker = await startStale('1h');
    system.counter.hold('send:locked-out');
    const { key, workflowId } = await system.client.start({
      agent: 'tester',
      input: script(calls(['send', { label: 'locked-out' }]), { say: 'ok' }),
    });
    await eventually(() => expect(system.counter.requests('send:locked-out')).toBe(1));
    await user.lockOut('by NOLOGIN');
    system.counter.letGo('send:locked-out');
    // Longer than its lease.
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect((await health()).status).toBe(503);
    await user.letIn();
    expect(await endOf({ agent: 'tester', key })).toMatchObject({ status: 'completed' });
    const scope = await system.scopeOf(workflowId);
    expect(await system.ledger.questions(scope)).toEqual([]);
    expect(await system.ledger.step(scope, 't1.c0')).toMatchObject({ knownBy: null, attempts: 1 });
    expect(system.counter.requests('send:locked-out')).toBe(1);
    await worker.stop();
  });
});

describe('a user of Redis that is locked out while runs go on,', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
    system = await startTestSystem(undefined, redis.url);
    workerEnv = SERVED;
  });
  afterAll(async () => {
    await (system as TestSystem | undefined)?.close();
    await (redis as RedisServer | undefined)?.stop();
  });
  beforeEach(async () => {
    const rights = ['on', 'resetpass', '>one-4711', '~*', '+@all'];
    await redis.command('ACL', 'SETUSER', 'worker', ...rights);
    user = {
      url: `redis://worker:one-4711@${redis.address}/0`,
      async lockOut(how) {
        const rules: Record<string, string[]> = {
          'by another password': ['resetpass', '>two-4712'],
          'by its rights': ['-@all', '+ping', '+client', '+hello', '+select'],
          'by its right to write': ['-@write'],
        };
        await redis.command('ACL', 'SETUSER', 'worker', ...(rules[how] ?? []));
        if (!how.startsWith('by its right'))
          await redis.command('CLIENT', 'KILL', 'USER', 'worker');
      },
      async letIn() {
        await redis.command('ACL', 'SETUSER', 'worker', ...rights);
      },
    };
  });

  testLockedOut(['by another password', 'by its rights', 'by its right to write']);
});
