import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cancelOnceClaimed } from '../../support/cancel-claimed.ts';
import { eventually } from '../../support/eventually.ts';
import { startOwnTemporal, type OwnTemporal } from '../../support/own-temporal.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

/** The first heartbeat comes when all of this is over: none brings the cancellation. */
const SILENT = { TEST_HEARTBEAT_MS: '200000', TEST_SLEEPY_HEARTBEAT_MS: '500000' };
const SERVERS = [
  ['tells workers', true],
  ['tells workers nothing, so the ledger does', false],
] as const;

describe.each(SERVERS)('with a server that %s', (_what, tells) => {
  let temporal: OwnTemporal;
  let system: TestSystem;

  beforeAll(async () => {
    temporal = await startOwnTemporal({
      'frontend.WorkerCommandsEnabled': tells,
      'system.enableCancelActivityWorkerCommand': tells,
    });
    system = await startTestSystem();
  });
  afterAll(async () => {
    await (system as TestSystem | undefined)?.close();
    await (temporal as OwnTemporal | undefined)?.stop();
  });

  test('a tool at work hears that its run was cancelled, without a heartbeat', async () => {
    const worker = await system.startWorker(SILENT);
    const run = { agent: 'tester', key: 'tool' };
    const { workflowId } = await system.client.start({
      ...run,
      input: script(calls(['sleepy_note', { label: 'cancelled', seconds: 900 }]), { say: 'never' }),
    });
    await cancelOnceClaimed(system, run, workflowId);
    await worker.stop();
  });

  test('so does a tool on another worker than the one that passes it on', async () => {
    const workers = await Promise.all([system.startWorker(SILENT), system.startWorker(SILENT)]);
    const runs = Array.from({ length: 4 }, (_, number) => ({
      agent: 'tester',
      key: `two-${number}`,
    }));
    await Promise.all(
      runs.map(async (run) => {
        const { workflowId } = await system.client.start({
          ...run,
          input: script(calls(['sleepy_note', { label: run.key, seconds: 900 }]), { say: 'never' }),
        });
        await cancelOnceClaimed(system, run, workflowId);
      }),
    );
    expect(await system.sql.query('SELECT FROM notes')).toMatchObject({ rowCount: 0 });
    await Promise.all(workers.map((worker) => worker.stop()));
  });

  test('an effect that is under way when its run is reset goes on, and its result is taken', async () => {
    const worker = await system.startWorker(SILENT);
    const run = { agent: 'tester', key: 'reset' };
    system.counter.hold('send:reset');
    const { workflowId, runId } = await system.client.start({
      ...run,
      input: script(calls(['send', { label: 'reset' }]), { say: 'sent' }),
    });
    await eventually(() => expect(system.counter.requests('send:reset')).toBe(1));
    const { events } = await system.temporal.workflow.getHandle(workflowId).fetchHistory();
    const firstTask = events?.find((event) => event.workflowTaskCompletedEventAttributes);
    await system.temporal.workflowService.resetWorkflowExecution({
      namespace: system.temporal.options.namespace,
      workflowExecution: { workflowId, runId },
      reason: 'a test',
      workflowTaskFinishEventId: firstTask?.eventId ?? null,
      requestId: randomUUID(),
    });
    // The reset run meets the claim of the effect.
    await eventually(async () => {
      const state = await system.client.describe(run);
      expect(state.runId).not.toBe(runId);
    });
    system.counter.letGo('send:reset');
    expect(await untilEnd(system.client, run)).toMatchObject({
      status: 'completed',
      result: 'sent',
    });
    expect(system.counter.requests('send:reset')).toBe(1);
    await worker.stop();
  });
});
