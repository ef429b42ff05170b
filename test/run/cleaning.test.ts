import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { LEDGER_CLEANUP, TASK_QUEUE } from '../../src/contract/names.ts';
import { claimed, stepClaim } from '../ledger/steps.ts';
import { eventually } from '../support/eventually.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';
import { untilEnd } from '../support/until-end.ts';
import { within } from '../support/within.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(async () => {
  await system.close();
});

/** Makes all rows older than what is kept: the retention, a day, and some more. */
async function ageAll(): Promise<void> {
  const by = "interval '4 days 12 hours'";
  await system.sql.query(
    `UPDATE agent_once.steps SET created_at = created_at - ${by}, claimed_at = claimed_at - ${by},
       ended_at = ended_at - ${by}, lease_until = lease_until - ${by}`,
  );
  await system.sql.query(`UPDATE agent_once.questions SET asked_at = asked_at - ${by}`);
}

// Cleanings that die, and runs of every other kind, are in test/all.
test('a cleaning removes what Temporal does not know, and nothing of a run that is under way', async () => {
  const run = { agent: 'tester', key: 'under-way' };
  const { workflowId } = await system.client.start({
    ...run,
    input: script(
      calls(['look', { label: 'before' }]),
      calls(['spend', { label: 'asks', amount: 100 }]),
      { say: 'ok' },
    ),
  });
  await eventually(async () => expect((await system.client.describe(run)).status).toBe('waiting'));
  const gone = stepClaim({
    step: 't1.model',
    kind: 'model',
    effect: null,
    workflowId: 'agent-tester-gone',
    runId: randomUUID(),
  });
  await system.ledger.complete(await claimed(system.ledger, gone), { result: 'done' });
  await ageAll();

  const cleaning = await system.temporal.workflow.start(LEDGER_CLEANUP, {
    workflowId: 'cleaning',
    taskQueue: TASK_QUEUE,
    args: [{ queue: TASK_QUEUE }],
  });
  const report = await within(cleaning.result(), () => 'the cleaning ended');
  expect(report).toMatchObject({
    looked: 2,
    removed: 1,
    kept: { running: 1 },
    rows: { steps: 1 },
  });
  expect(await system.ledger.steps(gone.scope)).toEqual([]);
  expect((await system.ledger.claim(stepClaim({ scope: gone.scope }))).state).toBe('superseded');
  expect(await system.ledger.steps(await system.scopeOf(workflowId))).not.toEqual([]);

  await system.client.decide(run, { step: 't2.c0', decision: 'approve', by: 'ada' });
  expect(await untilEnd(system.client, run)).toMatchObject({ status: 'completed', result: 'ok' });
  expect(system.counter.requests('look:before')).toBe(1);
});
