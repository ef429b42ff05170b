import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FAULT_POINTS } from '../../../src/activities/faults.ts';
import { StandbyWorkers } from '../../run/killed-step.ts';
import { STRICT_ENDPOINTS, workerEnv } from '../../support/dialects.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';

let system: TestSystem;
let workers: StandbyWorkers;

beforeAll(async () => {
  system = await startTestSystem();
  workers = new StandbyWorkers(system);
});
afterAll(async () => {
  await system.close();
});

const NAMES = ['OpenAI, Responses', 'Gemini 3'];
const endpoints = STRICT_ENDPOINTS.filter(({ name }) => NAMES.includes(name));
const GOOD = { verdict: 'good', points: 7, note: 'fine' };

test.each(endpoints.flatMap((endpoint) => FAULT_POINTS.map((point) => ({ ...endpoint, point }))))(
  '$name: killed $point in the turn of a wrong output and in the turn of its repair, the model is asked once for each record',
  async ({ point, ...endpoint }) => {
    const label = `${point}-${endpoint.dialect}`;
    const env = workerEnv(endpoint, system.model);
    const victims = [await workers.take(), await workers.take()];
    const survivor = await workers.take();
    try {
      const run = { agent: 'assessor', key: label };
      const { workflowId } = await system.client.start({
        ...run,
        input: script({ say: 'Good.' }, calls(['charge', { label }]), {
          say: JSON.stringify(GOOD),
        }),
        options: { model: endpoint.model },
      });
      // The second one goes on with the first turn, in another attempt, and dies in the next turn.
      for (const victim of victims) {
        victim.go({ ...env, AGENT_ONCE_FAULT: `${point}:model` });
        expect(await victim.untilEnded(` at ${point}:model`)).toBe('SIGKILL');
      }
      survivor.go(env);
      const view = await system.client.result(run);
      expect(view).toMatchObject({ status: 'completed', result: GOOD });
      expect(view.usage).toMatchObject({ turns: 3, modelCalls: 3, toolCalls: 1 });
      expect(system.counter.requests(`charge:${label}`)).toBe(1);

      const scope = await system.scopeOf(workflowId);
      const { byToken } = await system.modelRequests();
      const records = await Promise.all(
        [1, 2, 3].map((turn) => system.ledger.step(scope, `t${turn}.model`)),
      );
      expect(records[0]?.result).toHaveProperty('repair');
      // Whoever dies with an answer that is not recorded has to ask again, and the record says so.
      const lost = point === 'after-effect' ? 1 : 0;
      const unknown = point === 'after-claim' ? 1 : lost;
      expect(records.map((record) => record?.unknownAttempts)).toEqual([unknown, unknown, 0]);
      expect([1, 2, 3].map((turn) => byToken[`${scope}:t${turn}.model`])).toEqual([
        1 + lost,
        1 + lost,
        1,
      ]);
    } finally {
      await Promise.all([...victims, survivor].map((worker) => worker.kill()));
    }
  },
);
