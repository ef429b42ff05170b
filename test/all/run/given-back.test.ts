import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';
import { startWays, type Ways } from '../../support/ways.ts';

let system: TestSystem;
let ways: Ways;

beforeAll(async () => {
  system = await startTestSystem();
  ways = await startWays(system);
});
afterAll(async () => {
  await (system as TestSystem | undefined)?.close();
  await (ways as Ways | undefined)?.stop();
});

test('a step that Temporal has given up is given back, also where the ledger was away at that moment', async () => {
  const worker = await system.startWorker(ways.env);
  const run = { agent: 'tester', key: 'given-back' };
  const input = script(calls(['charge', { label: 'given-back' }]), { say: 'charged' });
  system.counter.hold('charge:given-back');
  const { workflowId } = await system.client.start({ ...run, input });
  await eventually(() => expect(system.counter.requests('charge:given-back')).toBe(1));
  const scope = await system.scopeOf(workflowId);

  ways.temporal.refuse();
  const { workflow } = system.temporal;
  await eventually(async () => {
    const { raw } = await workflow.getHandle(workflowId).describe();
    expect(raw.pendingActivities?.[0]).toMatchObject({ attempt: 2 });
  });
  ways.ledger.refuse();
  const tried = ways.ledger.connections();
  ways.temporal.cut();
  // Its request is ended when it hears that it was given up; then it asks the ledger.
  await eventually(() => expect(system.counter.abandoned('charge:given-back')).toBe(1));
  await eventually(() => expect(ways.ledger.connections()).toBeGreaterThan(tried + 2));
  system.counter.letGo('charge:given-back');
  ways.ledger.cut();

  expect(await untilEnd(system.client, run)).toMatchObject({ result: 'charged' });
  expect(await system.ledger.step(scope, 't1.c0')).toMatchObject({
    state: 'completed',
    errors: [{ code: 'step.interrupted' }],
  });
  await worker.stop();
});
