import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TASK_QUEUE } from '../../../src/contract/names.ts';
import type { RunLimits } from '../../../src/contract/run.ts';
import { eventually } from '../../support/eventually.ts';
import { startOwnTemporal, type OwnTemporal } from '../../support/own-temporal.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

let temporal: OwnTemporal;
let system: TestSystem;

beforeAll(async () => {
  // One queue is one order. Priorities need no setting.
  temporal = await startOwnTemporal({
    'matching.numTaskqueueReadPartitions': 1,
    'matching.numTaskqueueWritePartitions': 1,
  });
  system = await startTestSystem();
});
afterAll(async () => {
  await (system as TestSystem | undefined)?.close();
  await (temporal as OwnTemporal | undefined)?.stop();
});

test('the model and tool calls of an urgent run go before those of all that began earlier', async () => {
  const order: string[] = [];
  const run = (key: string) => ({ agent: 'tester', key });
  const start = async (key: string, limits?: RunLimits): Promise<void> => {
    const input = script(calls(['look', { label: key }]), { say: key });
    await system.client.start({ ...run(key), input, ...(limits ? { limits } : {}) });
  };
  const late = Array.from({ length: 20 }, (_, index) => `late${index}`);
  const usual = Array.from({ length: 20 }, (_, index) => `usual${index}`);
  for (const key of late) await start(key, { priority: 5 });
  for (const key of usual) await start(key);
  await start('urgent', { priority: 1 });
  await eventually(async () => {
    const { statsByPriorityKey } = await system.temporal.workflowService.describeTaskQueue({
      namespace: system.env['TEMPORAL_NAMESPACE'] ?? '',
      taskQueue: { name: TASK_QUEUE },
      taskQueueType: 1,
      reportStats: true,
    });
    const waiting = Object.entries(statsByPriorityKey ?? {}).map(([key, stats]) => [
      Number(key),
      Number(stats.approximateBacklogCount),
    ]);
    expect(waiting).toEqual([
      [1, 1],
      [3, 20],
      [5, 20],
    ]);
  });

  const worker = await system.startWorker({
    AGENT_ONCE_MODEL_SLOTS: '1',
    AGENT_ONCE_TOOL_SLOTS: '1',
  });
  await Promise.all(
    ['urgent', ...usual, ...late].map(async (key) => {
      const { workflowId } = await untilEnd(system.client, run(key)).then(() =>
        system.client.describe(run(key)),
      );
      const { closeTime } = await system.temporal.workflow.getHandle(workflowId).describe();
      order.push(`${String(Number(closeTime)).padStart(15, '0')} ${key}`);
    }),
  );
  await worker.stop();

  const ended = order.sort().map((line) => line.slice(16));
  const places = (keys: string[]) => keys.map((key) => ended.indexOf(key));
  const mean = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  expect(ended.indexOf('urgent')).toBeLessThan(10);
  expect(mean(places(usual)) + 10).toBeLessThan(mean(places(late)));
});
