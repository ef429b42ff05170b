import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startOwnTemporal, type OwnTemporal } from '../../support/own-temporal.ts';
import { script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

let temporal: OwnTemporal;
let system: TestSystem;

beforeAll(async () => {
  temporal = await startOwnTemporal({
    'matching.enableFairness': true,
    // One queue is one order.
    'matching.numTaskqueueReadPartitions': 1,
    'matching.numTaskqueueWritePartitions': 1,
  });
  system = await startTestSystem();
});
afterAll(async () => {
  await (system as TestSystem | undefined)?.close();
  await (temporal as OwnTemporal | undefined)?.stop();
});

test('a tenant with one run does not wait for all that another has started before', async () => {
  const run = (tenant: string, key: string) => ({ tenant, agent: 'tester', key });
  const busy = Array.from({ length: 40 }, (_, index) => run('busy', `b${index}`));
  const quiet = run('quiet', 'q');
  for (const each of [...busy, quiet]) {
    await system.client.start({ ...each, input: script({ say: each.key }) });
  }
  const slots = { AGENT_ONCE_MODEL_SLOTS: '1', AGENT_ONCE_TOOL_SLOTS: '1' };
  const worker = await system.startWorker(slots);
  await Promise.all([...busy, quiet].map((each) => untilEnd(system.client, each)));

  const endOf = async (each: typeof quiet): Promise<number> => {
    const { workflowId } = await system.client.describe(each);
    const { closeTime } = await system.temporal.workflow.getHandle(workflowId).describe();
    return Number(closeTime);
  };
  const end = await endOf(quiet);
  const before = (await Promise.all(busy.map(endOf))).filter((other) => other < end);
  expect(before.length).toBeLessThan(20);
  await worker.stop();
});
