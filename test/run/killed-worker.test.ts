import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { startTestSystem, type TestSystem } from '../support/system.ts';
import { expectPromisesKept, StandbyWorkers } from './killed-step.ts';

let system: TestSystem;
let workers: StandbyWorkers;

beforeAll(async () => {
  system = await startTestSystem();
  workers = new StandbyWorkers(system);
});
afterAll(async () => {
  await system.close();
});

/** The worst moment: it has happened, and nobody has written it down. All others: `test/all`. */
describe('a worker that is killed after-effect', () => {
  test.each(['model', 'keyed', 'transactional', 'at-most-once'] as const)(
    'in a step of class %s',
    async (which) => {
      await expectPromisesKept(system, workers, which, 'after-effect');
    },
  );
});

test('a worker that is killed after-record repeats nothing', async () => {
  await expectPromisesKept(system, workers, 'read', 'after-record');
});
