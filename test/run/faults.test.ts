import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FAULT_POINTS, type FaultPoint } from '../../src/activities/faults.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(async () => {
  await system.close();
});

/** Whether the effect, or the model call, had happened when the process died at the point. */
const HAPPENED: Record<FaultPoint, boolean> = {
  'before-claim': false,
  'after-claim': false,
  'after-effect': true,
  'after-record': true,
  'before-report': true,
};
/** Whether the ledger had the result by then, so that it does not happen again. */
const RECORDED: Record<FaultPoint, boolean> = {
  'before-claim': false,
  'after-claim': false,
  'after-effect': false,
  'after-record': true,
  'before-report': true,
};

const cases = FAULT_POINTS.flatMap((point) =>
  (['look', 'charge', 'note', 'model'] as const).map((step) => ({ point, step })),
);

describe('a worker that is killed', () => {
  test.each(cases)(
    '$point of $step: the run ends as if nothing had been',
    async ({ point, step }) => {
      const label = `${point}-${step}`;
      const tool = step === 'model' ? 'charge' : step;
      // The second one is loaded meanwhile, and takes no work before it is told to.
      const [first, second] = await Promise.all([
        system.startWorker({ AGENT_ONCE_FAULT: `${point}:${step}` }),
        system.startWorker({ TEST_STANDBY: '1' }),
      ]);
      const { key } = await system.client.start({
        agent: 'tester',
        input: script(calls([tool, { label }]), { say: 'ok' }),
      });
      expect(await first.ended).toBe('SIGKILL');
      second.go();
      const view = await system.client.result({ agent: 'tester', key }, { timeoutMs: 50_000 });
      await second.stop();

      expect(view).toMatchObject({ status: 'completed', result: 'ok', usage: { modelCalls: 2 } });
      const again = HAPPENED[point] && !RECORDED[point] ? 2 : 1;
      const { rows } = await system.sql.query('SELECT 1 FROM notes WHERE label = $1', [label]);
      const { byToken } = await system.modelRequests();
      const { raw } = await system.temporal.workflow.getHandle(view.workflowId).describe();
      const asked = byToken[`${raw.workflowExecutionInfo?.firstRunId}:t1.model`];

      expect(asked).toBe(step === 'model' ? again : 1);
      if (step === 'look') expect(system.counter.requests(`look:${label}`)).toBe(again);
      if (step === 'charge') {
        expect(system.counter.requests(`charge:${label}`)).toBe(again);
        // What a server that honours idempotency keys does, however often it is asked.
        expect(system.counter.effects(`charge:${label}`)).toBe(1);
      }
      if (step === 'note') expect(rows).toHaveLength(1);
    },
  );
});
