import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AgentOnceClient } from '../../../src/client/agent-once-client.ts';
import { cancelOnceClaimed } from '../../support/cancel-claimed.ts';
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

describe('a run that is cancelled while a tool ignores it', () => {
  test('ends cancelled, and the effect that happened is recorded', async () => {
    const worker = await system.startWorker();
    const ref = { agent: 'tester', key: 'deaf' };
    const { workflowId } = await system.client.start({
      ...ref,
      // Longer than the tool's heartbeat timeout after the cancellation.
      input: script(calls(['deaf', { label: 'cancelled', ms: 8_000 }]), { say: 'never' }),
    });
    await eventually(() => expect(system.counter.requests('deaf:cancelled')).toBe(1));
    await system.client.cancel(ref);
    const view = await untilEnd(system.client, ref);
    expect(view).toMatchObject({ status: 'cancelled', error: { code: 'run.cancelled' } });
    const step = await system.ledger.step(await system.scopeOf(workflowId), 't1.c0');
    expect(step).toMatchObject({ state: 'completed', attempts: 1 });
    await worker.stop();
  });

  test.each(['charge', 'note'])('begins no %s whose claim was on its way', async (tool) => {
    const worker = await system.startWorker();
    const ref = { agent: 'tester', key: `slow-claim-${tool}` };
    // The claim of this call takes longer than the cancellation takes to reach the activity.
    await system.sql.query(`
      CREATE OR REPLACE FUNCTION agent_once.claim_slowly() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_sleep(8); RETURN NEW; END $$;
      CREATE TRIGGER claim_slowly BEFORE UPDATE ON agent_once.steps FOR EACH ROW
      WHEN (OLD.state = 'planned' AND NEW.name = '${tool}') EXECUTE FUNCTION agent_once.claim_slowly()`);
    try {
      const { workflowId } = await system.client.start({
        ...ref,
        input: script(calls([tool, { label: 'slow-claim' }]), { say: 'never' }),
      });
      await eventually(async () => {
        const { rows } = await system.sql.query(
          "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
        );
        expect(rows).toHaveLength(1);
      });
      await system.client.cancel(ref);
      expect(await untilEnd(system.client, ref)).toMatchObject({
        status: 'cancelled',
      });
      const step = await system.ledger.step(await system.scopeOf(workflowId), 't1.c0');
      expect(step).toMatchObject({ state: 'failed', errors: [{ code: 'step.cancelled' }] });
      expect(system.counter.requests(`${tool}:slow-claim`)).toBe(0);
      const { rows } = await system.sql.query("SELECT 1 FROM notes WHERE label = 'slow-claim'");
      expect(rows).toEqual([]);
    } finally {
      await system.sql.query('DROP TRIGGER claim_slowly ON agent_once.steps');
      await worker.stop();
    }
  });

  test('ends a query of a transactional tool, which is rolled back', async () => {
    const worker = await system.startWorker();
    const ref = { agent: 'tester', key: 'query' };
    const { workflowId } = await system.client.start({
      ...ref,
      input: script(calls(['sleepy_note', { label: 'query', seconds: 60 }]), { say: 'never' }),
    });
    await cancelOnceClaimed(system, ref, workflowId);
    const { rows } = await system.sql.query("SELECT 1 FROM notes WHERE label = 'query'");
    expect(rows).toEqual([]);
    await worker.stop();
  });
});

describe('a worker that is stopped gracefully', () => {
  test('with a step in flight gives it back, and the step has all its attempts left', async () => {
    const first = await system.startWorker({ TEST_GRACE_MS: '300' });
    const ref = { agent: 'tester', key: 'stopped' };
    const { workflowId } = await system.client.start({
      ...ref,
      // The tool has one attempt in all.
      input: script(calls(['once', { label: 'stopped' }]), { say: 'done' }),
    });
    await eventually(() => expect(system.counter.requests('once:stopped')).toBe(1));
    await first.stop();
    const step = await system.ledger.step(await system.scopeOf(workflowId), 't1.c0');
    expect(step).toMatchObject({ state: 'failed', errors: [{ code: 'step.interrupted' }] });

    // There, the tool ends at once.
    const second = await system.startWorker({ TEST_ONCE_RETURNS: '1' });
    const view = await untilEnd(system.client, ref);
    expect(view).toMatchObject({ status: 'completed', result: 'done' });
    await second.stop();
  });
});

describe('a tool with one attempt', () => {
  test('whose database connection breaks is tried again: that is no failure of its own', async () => {
    const worker = await system.startWorker();
    const ref = { agent: 'tester', key: 'broken' };
    await system.client.start({
      ...ref,
      input: script(calls(['sleepy_note', { label: 'broken', seconds: 1.5 }]), { say: 'noted' }),
    });
    await eventually(async () => {
      const { rows } = await system.sql.query<{ pid: number }>(
        "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active' AND pid <> pg_backend_pid()",
      );
      expect(rows).toHaveLength(1);
      await system.sql.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    });
    const view = await untilEnd(system.client, ref);
    expect(view).toMatchObject({ status: 'completed', result: 'noted' });
    const { rows } = await system.sql.query("SELECT 1 FROM notes WHERE label = 'broken'");
    expect(rows).toHaveLength(1);
    await worker.stop();
  });
});

describe('an agent with long leases', () => {
  test('works for a caller that does not know them', async () => {
    const worker = await system.startWorker();
    const careless = new AgentOnceClient({ temporal: system.temporal });
    const { key } = await careless.start({
      agent: 'patient',
      // Longer than the heartbeat timeout that such a caller's first step has.
      input: script({ say: 'slow', delayMs: 6_500 }),
    });
    const view = await untilEnd(careless, { agent: 'patient', key });
    expect(view).toMatchObject({ status: 'completed', result: 'slow' });
    expect(
      await system.ledger.step(await system.scopeOf(view.workflowId), 't1.model'),
    ).toMatchObject({
      attempts: 1,
    });
    await worker.stop();
  });
});
