import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

/** So long that Temporal itself would notice nothing while a test waits. */
const SILENT = { TEST_HEARTBEAT_MS: '200000' };

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(async () => {
  await system.close();
});

/** What ended the attempts before the one that was recorded, by the activity that had them. */
async function endedBy(workflowId: string): Promise<(string | null | undefined)[]> {
  const { events } = await system.temporal.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) =>
    started?.lastFailure ? [started.lastFailure.applicationFailureInfo?.type] : [],
  );
}

test.each(['after-claim', 'after-effect', 'after-record'])(
  'a step whose worker is killed %s goes on elsewhere, though nobody misses a heartbeat',
  async (point) => {
    const victim = await system.startWorker({ ...SILENT, AGENT_ONCE_FAULT: `${point}:charge` });
    const run = { agent: 'tester', key: point };
    const input = script(calls(['charge', { label: point }]), { say: 'charged' });
    const { workflowId } = await system.client.start({ ...run, input });
    expect(await victim.untilEnded()).toBe('SIGKILL');
    const survivor = await system.startWorker(SILENT);
    expect(await untilEnd(system.client, run)).toMatchObject({ result: 'charged' });
    expect(await endedBy(workflowId)).toEqual(['step.interrupted']);
    expect(system.counter.effects(`charge:${point}`)).toBe(1);
    await survivor.stop();
  },
);

test('a model call whose worker is killed is made again, though nobody misses a heartbeat', async () => {
  const victim = await system.startWorker({ ...SILENT, AGENT_ONCE_FAULT: 'after-effect:model' });
  const run = { agent: 'patient', key: 'model' };
  const { workflowId } = await system.client.start({ ...run, input: script({ say: 'again' }) });
  expect(await victim.untilEnded()).toBe('SIGKILL');
  const survivor = await system.startWorker(SILENT);
  expect(await untilEnd(system.client, run)).toMatchObject({ result: 'again' });
  expect(await endedBy(workflowId)).toEqual(['step.interrupted']);
  await survivor.stop();
});

test('a step whose worker stands still goes on elsewhere', async () => {
  const sleeper = await system.startWorker(SILENT);
  const run = { agent: 'tester', key: 'still' };
  const input = script(calls(['once', { label: 'still' }]), { say: 'done' });
  await system.client.start({ ...run, input });
  await eventually(() => expect(system.counter.requests('once:still')).toBe(1));
  process.kill(sleeper.pid, 'SIGSTOP');
  const awake = await system.startWorker(SILENT);
  try {
    await eventually(async () => {
      expect(await system.client.describe(run)).not.toMatchObject({ status: 'running' });
    });
  } finally {
    process.kill(sleeper.pid, 'SIGCONT');
  }
  await Promise.all([awake.stop(), sleeper.stop()]);
});
