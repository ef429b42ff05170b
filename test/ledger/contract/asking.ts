import { describe, expect, test } from '@jest/globals';
import type { Asking } from '../../../src/contract/asking.ts';
import type { FailedAttempt, Ledger, StepClaim } from '../../../src/ledger/port.ts';
import { abandoned, again, claimed, granted, stepClaim } from '../steps.ts';

const BUSY = { code: 'model.rate_limited', message: 'too many requests' };

const asking = (change: Partial<Asking> = {}): Asking => ({
  endpoint: 'strong',
  runId: 'run-1',
  overloads: 0,
  ...change,
});
const pending = {
  endpoint: 'strong',
  origin: 'https://models.example',
  model: 'm',
  responseId: 'resp_1',
  round: 0,
  at: '2026-11-30T00:00:00.000Z',
};

/** What an attempt of a model step leaves for the next one. */
export function testAsking(ledger: () => Ledger): void {
  const modelClaim = () => stepClaim({ step: 't1.model', kind: 'model', name: 'm', effect: null });
  const record = ({ scope, step }: StepClaim) => ledger().step(scope, step);

  describe('what the next attempt of a model step must know', () => {
    test('is nothing at first', async () => {
      expect(granted(await ledger().claim(modelClaim())).asking).toBeNull();
    });

    test('is written with the end of an attempt, once', async () => {
      const step = modelClaim();
      const claim = await claimed(ledger(), step);
      expect(await ledger().fail(claim, BUSY, { asking: asking({ overloads: 1 }) })).toBe(true);
      // Repeatable: the first word stays.
      expect(await ledger().fail(claim, BUSY, { asking: asking({ overloads: 2 }) })).toBe(true);
      const next = granted(await ledger().claim(again(step)));
      expect(next.asking).toEqual(asking({ overloads: 1 }));
      await ledger().fail(next.claim, BUSY);
      expect(granted(await ledger().claim(again(step))).asking).toEqual(asking({ overloads: 1 }));
    });

    test('is kept by whoever holds the claim, and by nobody else', async () => {
      const step = modelClaim();
      const lost = await abandoned(ledger(), step);
      const held = await claimed(ledger(), again(step));
      expect(await ledger().keepAsking(lost, asking({ pending }))).toBe(false);
      expect((await record(step))?.asking).toBeNull();
      expect(await ledger().keepAsking(held, asking({ pending }))).toBe(true);
      expect(await ledger().keepAsking(held, asking({ pending }))).toBe(true);
      expect((await record(step))?.asking).toEqual(asking({ pending }));
      await ledger().fail(held, BUSY);
      expect(await ledger().keepAsking(held, asking())).toBe(false);
    });
  });

  test('trouble that lasts is said once, and pushes out no other error', async () => {
    const step = modelClaim();
    const fail = async (code: string, how: FailedAttempt) =>
      ledger().fail(await claimed(ledger(), again(step)), { code, message: 'm' }, how);
    const lasts = { counted: false, once: true };
    await ledger().fail(await claimed(ledger(), step), { ...BUSY, mayBePaid: true });
    for (let attempt = 0; attempt < 12; attempt += 1) await fail('model.no_key', lasts);
    await fail('model.timeout', {});
    await fail('model.timeout', {});
    expect((await record(step))?.errors).toMatchObject([
      { ...BUSY, mayBePaid: true },
      { code: 'model.no_key' },
      { code: 'model.timeout' },
      { code: 'model.timeout' },
    ]);
    expect(await record(step)).toMatchObject({ attempts: 15 });
  });

  describe('an attempt that ended without a word', () => {
    test('is not unknown where its response is pending: the next one finds it', async () => {
      const step = modelClaim();
      await ledger().keepAsking(await abandoned(ledger(), step), asking({ pending }));
      const next = granted(await ledger().claim(again(step)));
      expect(next).toMatchObject({ attempts: 2, unknownAttempts: 0, asking: asking({ pending }) });
    });

    test('is unknown before its response has an ID, and after the response is over', async () => {
      const step = modelClaim();
      await abandoned(ledger(), step);
      const second = granted(await ledger().claim(again(step, { leaseMs: 1 })));
      expect(second.unknownAttempts).toBe(1);
      await ledger().keepAsking(second.claim, asking({ pending }));
      await abandoned(ledger(), modelClaim());
      const third = granted(await ledger().claim(again(step)));
      expect(third).toMatchObject({ attempts: 3, unknownAttempts: 1 });
      await ledger().fail(third.claim, BUSY, { asking: asking() });
      await abandoned(ledger(), again(step));
      expect(granted(await ledger().claim(again(step))).unknownAttempts).toBe(2);
    });
  });
}
