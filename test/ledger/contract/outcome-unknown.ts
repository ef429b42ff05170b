import { describe, expect, test } from '@jest/globals';
import type { Claim, Ledger, Question, StepClaim } from '../../../src/ledger/port.ts';
import { abandoned, again, claimed, granted, plannedStep, stepClaim } from '../steps.ts';

const THREW = { code: 'tool.failed', message: 'the connection was cut' };

export function testOutcomeUnknown(ledger: () => Ledger): void {
  const record = ({ scope, step }: StepClaim) => ledger().step(scope, step);

  describe('an attempt at most once', () => {
    test('that died leaves the outcome unknown: nobody repeats it', async () => {
      const step = atMostOnce();
      const claim = await abandoned(ledger(), step);
      for (let i = 0; i < 2; i++) {
        expect(await ledger().claim(again(step))).toEqual({
          state: 'unknown',
          attempt: {
            fence: claim.fence,
            worker: 'worker-1',
            claimedAt: expect.stringMatching(/^\d{4}-.*Z$/),
            error: null,
          },
        });
      }
      expect(await record(step)).toMatchObject({
        state: 'unknown',
        attempts: 1,
        unknownAttempts: 1,
        fence: claim.fence,
      });
    });

    test('that threw leaves it unknown at once, with what it threw', async () => {
      const step = atMostOnce();
      const claim = await claimed(ledger(), step);
      expect(await ledger().endUnknown(claim, THREW)).toBe(true);
      expect(await ledger().endUnknown(claim, THREW)).toBe(true);
      expect(await record(step)).toMatchObject({ unknownAttempts: 1, errors: [THREW] });
      expect(await ledger().claim(again(step))).toMatchObject({
        state: 'unknown',
        attempt: { error: THREW },
      });
    });

    test('that threw after it was given up says what it threw, and counts once', async () => {
      const step = atMostOnce();
      const claim = await abandoned(ledger(), step);
      await ledger().claim(again(step));
      expect(await ledger().endUnknown(claim, THREW)).toBe(true);
      expect(await record(step)).toMatchObject({ unknownAttempts: 1, errors: [THREW] });
    });

    test('settles it by a late completion', async () => {
      const step = atMostOnce();
      const claim = await abandoned(ledger(), step);
      await ledger().claim(again(step));
      expect(await ledger().renew(claim)).toBe(false);
      expect(await ledger().complete(claim, { result: 'late' })).toBe('settled');
      expect(await ledger().claim(again(step))).toMatchObject({
        state: 'completed',
        record: { result: 'late', knownBy: null },
      });
    });

    test('settles it, and says so again to whoever has lost the answer', async () => {
      const step = atMostOnce();
      const claim = await abandoned(ledger(), step);
      await ledger().claim(again(step));
      expect(await ledger().complete(claim, { result: 'late' })).toBe('settled');
      await ledger().claim(again(step));
      const other = again(step, { digest: 'b'.repeat(64) });
      expect(await ledger().claim(other)).toEqual({ state: 'diverged' });
      expect(await ledger().complete(claim, { result: 'late' })).toBe('settled');
    });

    test('settles it by a late word that nothing happened', async () => {
      const step = atMostOnce();
      const claim = await abandoned(ledger(), step);
      await ledger().claim(again(step));
      expect(await ledger().fail(claim, THREW)).toBe(true);
      expect(await ledger().claim(again(step))).toMatchObject({ state: 'claimed', attempts: 2 });
    });

    test('that is known to have had no effect runs again', async () => {
      const step = atMostOnce();
      await ledger().fail(await claimed(ledger(), step), THREW);
      expect(await ledger().claim(again(step))).toMatchObject({
        state: 'claimed',
        attempts: 2,
        unknownAttempts: 0,
      });
    });
  });

  test.each([
    ['was at most once', { effect: 'at-most-once' }, { effect: 'keyed' }],
    ['is at most once by now', { effect: 'keyed' }, { effect: 'at-most-once' }],
  ] as const)('an attempt of a tool that %s is not repeated', async (_when, then, now) => {
    const step = stepClaim(then);
    await ledger().complete(await claimed(ledger(), modelStep(step)), {
      result: 1,
      planned: [plannedStep(0, { effect: 'read' })],
    });
    await abandoned(ledger(), step);
    expect(await ledger().claim(again(step, now))).toMatchObject({ state: 'unknown' });
  });

  test('a reconcile step is taken over, and says that it was tried before', async () => {
    const step = stepClaim({ effect: 'reconcile' });
    await abandoned(ledger(), step);
    const answer = granted(await ledger().claim(again(step, { runId: 'run-2' })));
    expect(answer).toMatchObject({ attempt: 1, attempts: 2, unknownAttempts: 1 });
    await ledger().complete(answer.claim, { result: 'found', knownBy: 'find' });
    expect(await record(step)).toMatchObject({ state: 'completed', knownBy: 'find' });
  });

  test('a note is kept whatever the state', async () => {
    const step = stepClaim();
    await ledger().complete(await claimed(ledger(), step), { result: 1, sharedWith: 'x:t1.c0' });
    await ledger().note(step.scope, step.step, { code: 'step.late_effect', message: 'again' });
    expect(await record(step)).toMatchObject({
      state: 'completed',
      result: 1,
      sharedWith: 'x:t1.c0',
      errors: [{ code: 'step.late_effect', message: 'again' }],
    });
  });

  describe('a question about an outcome', () => {
    test('is asked once, and answered once', async () => {
      const { step, question } = await unknownStep(ledger());
      const asked = await ledger().ask(question);
      expect(asked).toMatchObject({ round: 1, decision: null, by: null, runId: 'run-1' });
      expect(await ledger().ask(question)).toEqual(asked);
      expect(await ledger().questions(step.scope)).toEqual([asked]);

      const answer = {
        step: step.step,
        decision: 'happened',
        by: 'ann',
        result: { id: 7 },
      } as const;
      const recorded = await ledger().decide(step.scope, answer);
      expect(recorded).toMatchObject({ outcome: 'recorded', decision: 'happened', by: 'ann' });
      expect(await ledger().decide(step.scope, answer)).toEqual({
        ...recorded,
        outcome: 'repeated',
      });
      for (const other of [
        { ...answer, result: { id: 8 } },
        { step: step.step, decision: 'did-not-happen', by: 'bob' } as const,
      ]) {
        expect(await ledger().decide(step.scope, other)).toEqual({
          ...recorded,
          outcome: 'conflict',
        });
      }
    });

    test('that it happened completes the step, and its attempt can no longer', async () => {
      const { step, claim, question } = await unknownStep(ledger());
      await ledger().ask(question);
      const answer = { step: step.step, decision: 'happened', by: 'ann', result: 'sent' } as const;
      await ledger().decide(step.scope, answer);
      expect(await record(step)).toMatchObject({
        state: 'completed',
        result: 'sent',
        knownBy: 'person',
      });
      expect(await ledger().complete(claim, { result: 'late' })).toBe('lost');
      expect(await ledger().fail(claim, THREW)).toBe(false);
      // An attempt that asks before it begins must not begin.
      expect(await ledger().renew(claim)).toBe(false);
      expect(await record(step)).toMatchObject({ result: 'sent', knownBy: 'person' });
    });

    test('that it did not happen releases the step with all its attempts', async () => {
      const { step, claim, question } = await unknownStep(ledger(), { maximumAttempts: 1 });
      await ledger().ask(question);
      const answer = { step: step.step, decision: 'did-not-happen', by: 'ann' } as const;
      await ledger().decide(step.scope, answer);
      expect(await ledger().complete(claim, { result: 'late' })).toBe('lost');
      expect(await ledger().renew(claim)).toBe(false);
      const next = granted(await ledger().claim(again(step)));
      expect(next).toMatchObject({ attempt: 1, attempts: 2, claim: { fence: '2' } });
      expect(await record(step)).toMatchObject({
        errors: [{ code: 'step.did_not_happen', message: expect.stringContaining('ann') }],
      });

      // Its next attempt is another question.
      await ledger().endUnknown(next.claim, THREW);
      await ledger().claim(again(step));
      const second = await ledger().ask({ ...question, fence: next.claim.fence });
      expect(second).toMatchObject({ round: 2, decision: null });
      expect(await ledger().decide(step.scope, { ...answer, round: 1 })).toMatchObject({
        outcome: 'repeated',
      });
      expect(await record(step)).toMatchObject({ state: 'unknown' });
    });

    test('answered with fail leaves it unknown, for that execution alone', async () => {
      const { step, question } = await unknownStep(ledger());
      await ledger().ask(question);
      await ledger().decide(step.scope, { step: step.step, decision: 'fail', by: 'ann' });
      expect(await record(step)).toMatchObject({ state: 'unknown' });
      expect(await ledger().ask(question)).toMatchObject({ round: 1, decision: 'fail' });
      const resumed = { ...question, runId: 'run-2' };
      expect(await ledger().ask(resumed)).toMatchObject({ round: 2, decision: null });
    });

    test('that nobody has answered is taken over by a resumed run', async () => {
      const { step, question } = await unknownStep(ledger());
      const asked = await ledger().ask(question);
      const resumed = { ...question, runId: 'run-2' };
      const taken = await ledger().ask(resumed);
      expect(taken).toMatchObject({ round: 1, decision: null, runId: 'run-2' });
      expect(Date.parse(taken.askedAt)).toBeGreaterThanOrEqual(Date.parse(asked.askedAt));
      expect(await ledger().ask(resumed)).toEqual(taken);
      await ledger().decide(step.scope, { step: step.step, decision: 'fail', by: 'ann' });
      expect(await ledger().ask(resumed)).toMatchObject({ round: 1, decision: 'fail' });
    });

    test('is settled when the attempt has ended meanwhile', async () => {
      const { step, claim, question } = await unknownStep(ledger());
      await ledger().ask(question);
      await ledger().complete(claim, { result: 'late' });
      const answer = { step: step.step, decision: 'did-not-happen', by: 'ann' } as const;
      expect(await ledger().decide(step.scope, answer)).toMatchObject({ outcome: 'settled' });
      expect(await record(step)).toMatchObject({ state: 'completed', result: 'late' });
    });

    test('of many at once gets one answer', async () => {
      const { step, question } = await unknownStep(ledger());
      await Promise.all(Array.from({ length: 10 }, () => ledger().ask(question)));
      expect(await ledger().questions(step.scope)).toHaveLength(1);
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          ledger().decide(step.scope, {
            step: step.step,
            decision: i % 2 === 0 ? 'happened' : 'did-not-happen',
            by: `person-${i}`,
          }),
        ),
      );
      const count = (wanted: string) => outcomes.filter(({ outcome }) => outcome === wanted).length;
      expect([count('recorded'), count('repeated'), count('conflict')]).toEqual([1, 4, 5]);
    });
  });

  describe('a question about an approval', () => {
    test('is bound to the arguments, and changes nothing of the step', async () => {
      const { step, question } = approval();
      await ledger().ask(question);
      const yes = { step: step.step, decision: 'approve', by: 'ann', comment: 'fine' } as const;
      expect(await ledger().decide(step.scope, yes)).toMatchObject({ outcome: 'recorded' });
      expect(await ledger().ask(question)).toMatchObject({
        decision: 'approve',
        by: 'ann',
        comment: 'fine',
      });
      const other = { ...question, digest: 'b'.repeat(64) };
      expect(await ledger().ask(other)).toMatchObject({ round: 2, decision: null });
      expect(await record(step)).toBeUndefined();
    });

    test('is asked again when the approval can no longer be used', async () => {
      const { step, question } = approval({ validMs: 1 });
      await ledger().ask(question);
      await ledger().decide(step.scope, { step: step.step, decision: 'approve', by: 'ann' });
      const canary = stepClaim({ leaseMs: 1 });
      await abandoned(ledger(), canary);
      expect(await ledger().ask(question)).toMatchObject({ round: 2, decision: null });
    });

    test('is repeated also when the outcome of the same step is asked by then', async () => {
      const { step, question } = await unknownStep(ledger());
      await ledger().ask({ ...question, kind: 'approval', fence: null });
      const yes = { step: step.step, round: 1, decision: 'approve', by: 'ann' } as const;
      await ledger().decide(step.scope, yes);
      await ledger().ask(question);
      for (const answer of [yes, { step: step.step, decision: 'approve', by: 'bob' } as const]) {
        expect(await ledger().decide(step.scope, answer)).toMatchObject({
          outcome: 'repeated',
          by: 'ann',
        });
      }
      expect(await record(step)).toMatchObject({ state: 'unknown' });
    });

    test('keeps a denial', async () => {
      const { step, question } = approval({ validMs: 1 });
      await ledger().ask(question);
      await ledger().decide(step.scope, { step: step.step, decision: 'deny', by: 'ann' });
      expect(await ledger().ask({ ...question, runId: 'run-2' })).toMatchObject({
        round: 1,
        decision: 'deny',
      });
    });
  });

  test('what nobody asked cannot be decided', async () => {
    const { scope, step } = atMostOnce();
    expect(await ledger().decide(scope, { step, decision: 'happened', by: 'ann' })).toEqual({
      outcome: 'none',
      decision: null,
      by: null,
      decidedAt: null,
    });
  });
}

function atMostOnce(change: Partial<StepClaim> = {}): StepClaim {
  return stepClaim({ effect: 'at-most-once', ...change });
}

function modelStep({ scope }: StepClaim): StepClaim {
  return stepClaim({ scope, step: 't1.model', kind: 'model', effect: null });
}

async function unknownStep(
  ledger: Ledger,
  change: Partial<StepClaim> = {},
): Promise<{ step: StepClaim; claim: Claim; question: Question }> {
  const step = atMostOnce(change);
  const claim = await abandoned(ledger, step);
  await ledger.claim(again(step));
  return { step, claim, question: questionAbout(step, { kind: 'outcome', fence: claim.fence }) };
}

function approval(change: Partial<Question> = {}): { step: StepClaim; question: Question } {
  const step = stepClaim();
  return { step, question: questionAbout(step, change) };
}

function questionAbout(step: StepClaim, change: Partial<Question>): Question {
  return {
    scope: step.scope,
    step: step.step,
    kind: 'approval',
    digest: step.digest,
    fence: null,
    validMs: 60_000,
    workflowId: step.workflowId,
    runId: step.runId,
    ...change,
  };
}
