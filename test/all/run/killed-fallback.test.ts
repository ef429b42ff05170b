import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { FAULT_POINTS } from '../../../src/activities/faults.ts';
import { StandbyWorkers } from '../../run/killed-step.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import {
  chatAnswer,
  GONE,
  NO_CREDIT,
  startThreeEndpoints,
  type ThreeEndpoints,
} from '../../support/three-endpoints.ts';

let system: TestSystem;
let models: ThreeEndpoints;
let workers: StandbyWorkers;

beforeAll(async () => {
  [system, models] = await Promise.all([startTestSystem(), startThreeEndpoints()]);
  workers = new StandbyWorkers(system);
});
afterAll(async () => {
  await system.close();
  await models.stop();
});
beforeEach(() => {
  models.first.reply(402, NO_CREDIT);
  models.second.reply(404, GONE);
  models.third.reply(200, chatAnswer('the third says hello'));
});

test.each(FAULT_POINTS)(
  'killed %s, a chain of three models pays what its record says, and says who answered',
  async (point) => {
    const [victim, survivor] = [await workers.take(), await workers.take()];
    try {
      victim.go({ ...models.env, AGENT_ONCE_FAULT: `${point}:model` });
      const { workflowId } = await system.client.start({
        agent: 'cautious',
        key: point,
        input: 'hello',
      });
      expect(await victim.untilEnded(` at ${point}:model`)).toBe('SIGKILL');
      survivor.go(models.env);
      const view = await system.client.result({ agent: 'cautious', key: point });
      expect(view).toMatchObject({ status: 'completed', result: 'the third says hello' });

      const scope = await system.scopeOf(workflowId);
      const step = await system.ledger.step(scope, 't1.model');
      const asked = models.asked(`${scope}:t1.model`);
      expect(step?.result).toMatchObject({ answeredBy: 'third' });
      // Each answer is the record's, or an attempt's that the record calls unknown.
      const unknown = point === 'after-effect' ? 1 : 0;
      expect(asked.third).toBe(1 + unknown);
      // Before it is asked, a claim that dies is not known to have asked nothing.
      const silent = point === 'after-claim' ? 1 : unknown;
      expect(step?.unknownAttempts).toBe(silent);
      // Whoever takes over does not ask again those that have refused.
      expect(asked).toMatchObject({ first: 1, second: 1 });
    } finally {
      await Promise.all([victim.kill(), survivor.kill()]);
    }
  },
);
