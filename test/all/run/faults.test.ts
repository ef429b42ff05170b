import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { FAULT_POINTS } from '../../../src/activities/faults.ts';
import { expectPromisesKept, StandbyWorkers, STEP_CLASSES } from '../../run/killed-step.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';

let system: TestSystem;
let workers: StandbyWorkers;

beforeAll(async () => {
  system = await startTestSystem();
  workers = new StandbyWorkers(system);
});
afterAll(async () => {
  await system.close();
});

describe.each(FAULT_POINTS)('a worker that is killed %s', (point) => {
  test.each(STEP_CLASSES)('in a step of class %s', async (which) => {
    await expectPromisesKept(system, workers, which, point);
  });
});
