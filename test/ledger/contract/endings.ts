import { describe, expect, test } from '@jest/globals';
import type { Ledger } from '../../../src/ledger/port.ts';
import { abandoned, again, claimed, plannedStep, stepClaim } from '../steps.ts';

export function testEndings(ledger: () => Ledger): void {
  describe('a completion', () => {
    test('is repeatable, and the first one counts', async () => {
      const step = stepClaim();
      const claim = await claimed(ledger(), step);
      expect(await ledger().complete(claim, { result: 'first' })).toBe('recorded');
      const recorded = await ledger().step(step.scope, step.step);
      expect(await ledger().complete(claim, { result: 'second' })).toBe('recorded');
      expect(await ledger().step(step.scope, step.step)).toEqual(recorded);
      expect(recorded).toMatchObject({ state: 'completed', result: 'first' });
    });

    test('after the lease counts as long as nobody took the step over', async () => {
      const step = stepClaim();
      const claim = await abandoned(ledger(), step);
      expect(await ledger().complete(claim, { result: 'late' })).toBe('recorded');
      expect(await ledger().step(step.scope, step.step)).toMatchObject({
        result: 'late',
        unknownAttempts: 0,
      });
    });

    test('of an overtaken holder writes nothing, before and after the other one ends', async () => {
      const step = stepClaim({ kind: 'model', effect: null });
      const old = await abandoned(ledger(), step);
      const taken = await claimed(ledger(), again(step));
      const planned = [plannedStep(7)];
      expect(await ledger().complete(old, { result: 'old', planned })).toBe('lost');
      expect(await ledger().fail(old, { code: 'tool.failed', message: 'old' })).toBe(false);
      expect(await ledger().renew(old)).toBe(false);
      expect(await ledger().complete(taken, { result: 'new' })).toBe('recorded');
      expect(await ledger().complete(old, { result: 'old', planned })).toBe('lost');
      const steps = await ledger().steps(step.scope);
      expect(steps).toMatchObject([{ state: 'completed', result: 'new', errors: [] }]);
    });

    test('of a step that was released as failed writes nothing', async () => {
      const claim = await claimed(ledger(), stepClaim());
      await ledger().fail(claim, { code: 'tool.failed', message: '' });
      expect(await ledger().complete(claim, { result: 1 })).toBe('lost');
      expect(await ledger().step(claim.scope, claim.step)).toMatchObject({ state: 'failed' });
    });

    test('records usage, and the calls that it plans, once', async () => {
      const step = stepClaim({ step: 't1.model', kind: 'model', name: 'm', effect: null });
      const claim = await claimed(ledger(), step);
      const completion = {
        result: { calls: 2 },
        usage: { inputTokens: 120, outputTokens: 7, costUsd: 0.0123 },
        planned: [plannedStep(0), plannedStep(1, { tool: 'issue_refund', effect: 'keyed' })],
      };
      await ledger().complete(claim, completion);
      await ledger().complete(claim, completion);
      expect(await ledger().steps(step.scope)).toMatchObject([
        { step: 't1.model', inputTokens: 120, outputTokens: 7, costUsd: 0.0123 },
        { step: 't1.c0', state: 'planned', kind: 'tool', attempts: 0, request: { order: 1040 } },
        { step: 't1.c1', state: 'planned', name: 'issue_refund', effect: 'keyed', worker: null },
      ]);
    });
  });

  describe('a failure', () => {
    test('is repeatable, and its error is kept once', async () => {
      const claim = await claimed(ledger(), stepClaim());
      const error = { code: 'tool.failed', message: 'shop down' };
      expect(await ledger().fail(claim, error)).toBe(true);
      expect(await ledger().fail(claim, error)).toBe(true);
      expect(await ledger().step(claim.scope, claim.step)).toMatchObject({
        state: 'failed',
        result: null,
        errors: [error],
      });
    });

    test('keeps the last ten errors, oldest first', async () => {
      const step = stepClaim({ maximumAttempts: 100 });
      for (let i = 1; i <= 12; i++) {
        const claim = await claimed(ledger(), again(step));
        await ledger().fail(claim, { code: 'tool.failed', message: `error ${i}` });
      }
      const record = await ledger().step(step.scope, step.step);
      expect(record?.attempts).toBe(12);
      expect(record?.errors.map((error) => error.message)).toEqual(
        Array.from({ length: 10 }, (_, i) => `error ${i + 3}`),
      );
    });

    test('of a completed step changes nothing', async () => {
      const claim = await claimed(ledger(), stepClaim());
      await ledger().complete(claim, { result: 1 });
      expect(await ledger().fail(claim, { code: 'tool.failed', message: '' })).toBe(false);
      expect(await ledger().step(claim.scope, claim.step)).toMatchObject({ state: 'completed' });
    });

    test('may hold characters that a database does not like', async () => {
      const claim = await claimed(ledger(), stepClaim());
      await ledger().fail(claim, { code: 'tool.failed', message: 'a\0b\ud800c “é” 💶' });
      const record = await ledger().step(claim.scope, claim.step);
      expect(record?.errors[0]?.message).toMatch(/^ab.c “é” 💶$/);
    });
  });

  describe('a renewal', () => {
    test('extends the lease', async () => {
      const step = stepClaim();
      const claim = await abandoned(ledger(), step);
      expect(await ledger().renew({ ...claim, leaseMs: 60_000 })).toBe(true);
      expect((await ledger().claim(again(step))).state).toBe('busy');
    });

    test('of a step that this claim completed is no loss of it', async () => {
      const claim = await claimed(ledger(), stepClaim());
      await ledger().complete(claim, { result: 1 });
      expect(await ledger().renew(claim)).toBe(true);
    });

    test('after the claim was released says that it is gone', async () => {
      const claim = await claimed(ledger(), stepClaim());
      await ledger().fail(claim, { code: 'tool.failed', message: '' });
      expect(await ledger().renew(claim)).toBe(false);
    });
  });
}
