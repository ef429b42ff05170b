import { describe, expect, test } from '@jest/globals';
import type { Ledger, StepClaim } from '../../../src/ledger/port.ts';
import { again, claimed, granted, stepClaim } from '../steps.ts';

const BAD = { code: 'model.bad_answer', message: 'neither text nor a tool call' };
const used = (inputTokens: number, outputTokens: number, costUsd: number | null) => ({
  inputTokens,
  outputTokens,
  costUsd,
});

/** A model's answers that are whole and unusable: each is a round of its own, and paid for. */
export function testRounds(ledger: () => Ledger): void {
  const modelClaim = () => stepClaim({ step: 't1.model', kind: 'model', name: 'm', effect: null });
  const record = ({ scope, step }: StepClaim) => ledger().step(scope, step);

  describe('an unusable answer', () => {
    test('ends its round, and what it used is added up', async () => {
      const step = modelClaim();
      const first = await claimed(ledger(), step);
      const one = { answered: { round: 0, usage: used(100, 10, 0.0001) } };
      expect(await ledger().fail(first, BAD, one)).toBe(true);
      // Repeatable: an answer whose word was lost is not counted twice.
      expect(await ledger().fail(first, BAD, one)).toBe(true);
      expect(await record(step)).toMatchObject({
        state: 'failed',
        round: 1,
        unusableAnswers: 1,
        errors: [BAD],
        ...used(100, 10, 0.0001),
      });

      const second = granted(await ledger().claim(again(step)));
      expect(second).toMatchObject({ round: 1, spent: used(100, 10, 0.0001) });
      await ledger().fail(second.claim, BAD, {
        answered: { round: 1, usage: used(100, 20, 0.0002) },
      });
      const third = granted(await ledger().claim(again(step)));
      expect(third).toMatchObject({ round: 2, spent: used(200, 30, 0.0003) });
      const last = { result: 'ok', usage: used(1, 2, 0.5) };
      expect(await ledger().complete(third.claim, last)).toBe('recorded');
      expect(await ledger().complete(third.claim, last)).toBe('recorded');
      expect(await record(step)).toMatchObject({ round: 2, ...used(201, 32, 0.5003) });
    });

    test('of unknown usage makes the cost unknown, not smaller', async () => {
      const step = modelClaim();
      const first = await claimed(ledger(), step);
      await ledger().fail(first, BAD, { answered: { round: 0, usage: null } });
      const second = granted(await ledger().claim(again(step)));
      expect(second).toMatchObject({ round: 1, spent: used(0, 0, null) });
      await ledger().complete(second.claim, { result: 'ok', usage: used(1, 2, 0.5) });
      expect(await record(step)).toMatchObject(used(1, 2, null));
    });

    test('of an unknown price leaves the tokens known', async () => {
      const step = modelClaim();
      await ledger().fail(await claimed(ledger(), step), BAD, {
        answered: { round: 0, usage: used(3, 4, null) },
      });
      const second = granted(await ledger().claim(again(step)));
      expect(second.spent).toEqual(used(3, 4, null));
      await ledger().complete(second.claim, { result: 'ok', usage: used(1, 2, 0.5) });
      expect(await record(step)).toMatchObject(used(4, 6, null));
    });

    test('is told to whoever finds no attempt left', async () => {
      const step = { ...modelClaim(), maximumAttempts: 1 };
      await ledger().fail(await claimed(ledger(), step), BAD, {
        answered: { round: 0, usage: used(3, 4, 0.25) },
      });
      expect(await ledger().claim(again(step))).toEqual({
        state: 'exhausted',
        attempts: 1,
        error: BAD,
        spent: used(3, 4, 0.25),
      });
    });
  });

  test('one that a worker read as it stopped is counted, and its attempt is not', async () => {
    const step = modelClaim();
    await ledger().fail(await claimed(ledger(), step), BAD, {
      counted: false,
      answered: { round: 0, usage: used(3, 4, 0.25) },
    });
    const answer = granted(await ledger().claim(again(step)));
    expect(answer).toMatchObject({ attempt: 1, attempts: 2, round: 1, spent: used(3, 4, 0.25) });
  });

  test('an attempt that ends without an answer stays in its round', async () => {
    const step = modelClaim();
    await ledger().fail(await claimed(ledger(), step), { code: 'model.timeout', message: 'late' });
    expect(granted(await ledger().claim(again(step))).round).toBe(0);
  });

  test('whoever takes a shared call over begins in its owner’s round, and goes on from there', async () => {
    const owner = modelClaim();
    const terms = { name: `share of ${owner.scope}`, windowMs: 0, leaseMs: 60_000 };
    const ask = ({ scope, step }: StepClaim) => ledger().share({ ...terms, scope, step });
    const claim = await claimed(ledger(), owner);
    expect(await ask(owner)).toMatchObject({ mine: true, round: 0 });
    await ledger().fail(claim, BAD, { answered: { round: 0, usage: null } });

    const second = modelClaim();
    const taken = await claimed(ledger(), second);
    expect(await ask(second)).toMatchObject({
      mine: true,
      first: { scope: owner.scope },
      round: 1,
    });
    // Its own row is in round 0: what it asked for was the round after its owner's.
    await ledger().fail(taken, BAD, { answered: { round: 1, usage: null } });
    expect(await ask(second)).toMatchObject({ mine: true, round: 2 });

    expect(await record(second)).toMatchObject({ round: 2, unusableAnswers: 1 });

    const third = modelClaim();
    await claimed(ledger(), third);
    expect(await ask(third)).toMatchObject({ mine: true, first: { scope: owner.scope }, round: 2 });
    expect(await ask(third)).toMatchObject({ mine: true, round: 2 });
  });
}
