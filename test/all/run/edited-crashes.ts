import { expect, test } from '@jest/globals';
import type { DecisionInput } from '../../../src/contract/decision.ts';
import { callDigest } from '../../../src/activities/tool/check-arguments.ts';
import { APPROVE, editing, type EditedRun } from '../../run/edited-calls.ts';
import { eventually } from '../../support/eventually.ts';
import { resetToBegin } from '../../support/reset.ts';
import { calls, type TestSystem } from '../../support/system.ts';

/** Longer than a test takes to begin, and short enough to be waited for. */
const VALID_SECONDS = 3;

/**
 * What becomes of changed arguments when workers die.
 *
 * @param env of the workers
 */
export function testEditedCrashes(
  system: () => TestSystem,
  env: Readonly<Record<string, string>> = {},
): void {
  const { started, untilAsked, decide, endOf, asked, toldOf } = editing(system);
  const standby = () => system().startWorker({ ...env, TEST_STANDBY: '1' });

  test.each([
    // Between the decision and the call: nothing was made yet.
    ['before-claim', 1],
    ['after-claim', 1],
    ['after-effect', 2],
    ['before-report', 1],
  ])(
    'a worker killed %s: another one makes the changed call, in effect once',
    async (point, requests) => {
      const label = `killed-${point}`;
      const [victim, next] = await Promise.all([
        system().startWorker({ ...env, AGENT_ONCE_FAULT: `${point}:pay` }),
        standby(),
      ]);
      const run = await started(calls(['pay', { label, amount: 300 }]), { say: 'ok' });
      await untilAsked(run, 't1.c0');
      const told = decideUntilTold(run, { arguments: { label, amount: 200 } });
      expect(await victim.untilEnded()).toBe('SIGKILL');
      next.go();
      expect(await told).toMatchObject({ decision: 'approve', by: 'ann' });
      expect(await endOf(run)).toMatchObject({ status: 'completed' });
      expect(asked('pay', label, 300, 200)).toEqual([0, requests]);
      expect(system().counter.effects(`pay:${label}:200`)).toBe(1);
      expect(await toldOf(run, 2, 'call_1_0')).toMatchObject({ arguments: { label, amount: 200 } });
      await next.stop();
    },
  );

  test('a decision whose worker died before it told anybody is repeated, and the call made', async () => {
    const label = 'recorded';
    const worker = await system().startWorker(env);
    const run = await started(calls(['pay', { label, amount: 300 }]), { say: 'ok' });
    await untilAsked(run, 't1.c0');
    await worker.kill();
    const request = { label, amount: 200 };
    const edited = { digest: callDigest('pay', request), request };
    // As the activity does it that records decisions.
    await system().ledger.decide(run.scope, { ...APPROVE, round: 1, edited });
    const next = await system().startWorker(env);
    expect(await decide(run, { arguments: request })).toMatchObject({
      outcome: 'repeated',
      approved: JSON.stringify(request),
    });
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    expect(asked('pay', label, 300, 200)).toEqual([0, 1]);
    await next.stop();
  });

  test('an approval that expired before the call was made is asked again, about the changed one', async () => {
    const label = 'expired';
    const short = { ...env, TEST_VALID_SECONDS: String(VALID_SECONDS) };
    const [victim, next] = await Promise.all([
      system().startWorker({ ...short, AGENT_ONCE_FAULT: 'before-claim:pay' }),
      system().startWorker({ ...short, TEST_STANDBY: '1' }),
    ]);
    const run = await started(calls(['pay', { label, amount: 300 }]), { say: 'ok' });
    await untilAsked(run, 't1.c0');
    const told = decideUntilTold(run, { arguments: { label, amount: 200 } });
    await victim.untilEnded();
    await untilExpired(run);
    next.go();
    await told;
    const { waiting } = await untilRound(run, 2);
    expect(waiting[0]).toMatchObject({
      summary: expect.stringContaining(`200 EUR to ${label} (changed by a person`),
      editable: true,
    });
    await decide(run, {});
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    expect(asked('pay', label, 300, 200)).toEqual([0, 1]);
    await next.stop();
  });

  test('a call of which an attempt died cannot get other arguments any more', async () => {
    const label = 'begun';
    const short = { ...env, TEST_VALID_SECONDS: String(VALID_SECONDS) };
    const [victim, next] = await Promise.all([
      system().startWorker({ ...short, AGENT_ONCE_FAULT: 'after-effect:pay' }),
      system().startWorker({ ...short, TEST_STANDBY: '1' }),
    ]);
    const run = await started(calls(['pay', { label, amount: 300 }]), { say: 'ok' });
    await untilAsked(run, 't1.c0');
    const told = decideUntilTold(run, {});
    await victim.untilEnded();
    await untilExpired(run);
    next.go();
    await told;
    const { waiting } = await untilRound(run, 2);
    expect(waiting[0]).not.toHaveProperty('editable');
    const other = decide(run, { arguments: { label, amount: 200 } });
    await expect(other).rejects.toMatchObject({ code: 'decision.invalid' });
    await decide(run, {});
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    expect(asked('pay', label, 200)).toEqual([0]);
    expect(system().counter.effects(`pay:${label}:300`)).toBe(1);
    await next.stop();
  });

  test('a run that is reset while its changed call is under way makes it once', async () => {
    const label = 'reset-under-way';
    const worker = await system().startWorker(env);
    const run = await started(calls(['pay', { label, amount: 300 }]), { say: 'ok' });
    await untilAsked(run, 't1.c0');
    await decide(run, { arguments: { label, amount: 200 } });
    await resetToBegin(system(), run.workflowId);
    expect(await endOf(run)).toMatchObject({ status: 'completed' });
    expect(asked('pay', label, 300)).toEqual([0]);
    expect(system().counter.effects(`pay:${label}:200`)).toBe(1);
    await worker.stop();
  });

  /** In the fast lane a worker that dies at the call has not told what became of the decision. */
  const decideUntilTold = (run: EditedRun, answer: Partial<DecisionInput>) =>
    eventually(() => decide(run, { round: 1, ...answer }));

  const untilExpired = async ({ scope }: EditedRun): Promise<void> => {
    const [question] = await system().ledger.questions(scope);
    const left = Date.parse(question?.decidedAt ?? '') + VALID_SECONDS * 1_000 - Date.now();
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, left) + 500));
  };

  const untilRound = async (run: EditedRun, round: number) => {
    return eventually(async () => {
      const view = await untilAsked(run, 't1.c0');
      expect(view.waiting).toMatchObject([{ round }]);
      return view;
    });
  };
}
