import { describe, expect, test } from '@jest/globals';
import { NOTHING_USED } from '../../../src/contract/step.ts';
import type { Ledger } from '../../../src/ledger/port.ts';
import { abandoned, again, claimed, granted, plannedStep, stepClaim } from '../steps.ts';

export function testClaims(ledger: () => Ledger): void {
  describe('a claim', () => {
    test('of a new step is granted, with its request', async () => {
      const step = stepClaim({ request: { order: 1042 } });
      expect(await ledger().claim(step)).toEqual({
        state: 'claimed',
        claim: { scope: step.scope, step: 't1.c0', fence: '1', leaseMs: 60_000 },
        attempt: 1,
        last: false,
        ledger: (await ledger().identity()).id,
        attempts: 1,
        unknownAttempts: 0,
        request: { order: 1042 },
        round: 0,
        spent: NOTHING_USED,
        asking: null,
      });
    });

    test('whose answer was lost is the same claim, also when its lease is over', async () => {
      const step = stepClaim();
      const first = await ledger().claim(step);
      expect(await ledger().claim(step)).toEqual(first);

      const slow = stepClaim();
      const claim = await abandoned(ledger(), slow);
      const answer = granted(await ledger().claim(slow));
      expect(answer.claim.fence).toBe(claim.fence);
      expect(answer.unknownAttempts).toBe(0);
      expect((await ledger().claim(again(slow))).state).toBe('busy');
    });

    test('of a step that somebody holds says for how long, and who', async () => {
      const step = stepClaim();
      await ledger().claim(step);
      const answer = await ledger().claim(again(step));
      if (answer.state !== 'busy') throw new Error(answer.state);
      expect(answer.worker).toBe('worker-1');
      expect(answer.retryAfterMs).toBeGreaterThan(30_000);
      expect(answer.retryAfterMs).toBeLessThanOrEqual(60_000);
    });

    test('of a completed step brings its record, and nothing runs', async () => {
      const step = stepClaim();
      const claim = await claimed(ledger(), step);
      await ledger().complete(claim, { result: { status: 'paid' } });
      for (const wanted of [step, again(step), again(step, { runId: 'run-2' })]) {
        const answer = await ledger().claim(wanted);
        if (answer.state !== 'completed') throw new Error(answer.state);
        expect(answer.record).toMatchObject({ result: { status: 'paid' }, attempts: 1 });
      }
    });

    test('of a failed step is granted again, with the next fence', async () => {
      const step = stepClaim();
      const first = await claimed(ledger(), step);
      await ledger().fail(first, { code: 'tool.failed', message: 'shop down' });
      const answer = granted(await ledger().claim(again(step)));
      expect(answer).toMatchObject({ attempt: 2, unknownAttempts: 0, claim: { fence: '2' } });
      expect((await ledger().claim(again(step))).state).toBe('busy');
    });

    test('takes a step over whose lease is over, and counts an unknown attempt', async () => {
      const step = stepClaim();
      await abandoned(ledger(), step);
      const answer = granted(await ledger().claim(again(step)));
      expect(answer).toMatchObject({ attempt: 2, unknownAttempts: 1, claim: { fence: '2' } });
      expect(await ledger().step(step.scope, step.step)).toMatchObject({ worker: 'worker-2' });
    });

    test('with another digest diverges, whatever the state, and changes nothing', async () => {
      const step = stepClaim();
      const other = () => again(step, { digest: 'b'.repeat(64), request: { other: true } });
      const claim = await claimed(ledger(), step);
      const whileClaimed = await ledger().step(step.scope, step.step);
      expect(await ledger().claim(other())).toEqual({ state: 'diverged' });
      expect(await ledger().step(step.scope, step.step)).toEqual(whileClaimed);
      await ledger().complete(claim, { result: 1 });
      expect(await ledger().claim(other())).toEqual({ state: 'diverged' });

      const failed = stepClaim();
      await ledger().fail(await claimed(ledger(), failed), { code: 'tool.failed', message: '' });
      expect(await ledger().claim(again(failed, { digest: 'c'.repeat(64) }))).toEqual({
        state: 'diverged',
      });
    });

    test('of a planned step has the arguments that were planned', async () => {
      const model = stepClaim({ step: 't1.model', kind: 'model', name: 'm', effect: null });
      const claim = await claimed(ledger(), model);
      await ledger().complete(claim, { result: 'calls', planned: [plannedStep(0)] });
      const answer = granted(await ledger().claim(stepClaim({ scope: model.scope })));
      expect(answer).toMatchObject({ attempt: 1, unknownAttempts: 0, request: { order: 1040 } });
    });
  });

  describe('attempts', () => {
    test('run out: the last one is announced, the next is refused with its error', async () => {
      const step = stepClaim({ maximumAttempts: 2 });
      expect(granted(await ledger().claim(step)).last).toBe(false);
      await ledger().fail(await claimed(ledger(), step), { code: 'tool.failed', message: 'one' });
      const second = granted(await ledger().claim(again(step)));
      expect(second).toMatchObject({ attempt: 2, last: true });
      await ledger().fail(second.claim, { code: 'tool.failed', message: 'two' });
      expect(await ledger().claim(again(step))).toEqual({
        state: 'exhausted',
        attempts: 2,
        error: { code: 'tool.failed', message: 'two' },
        spent: NOTHING_USED,
      });
    });

    test('that ended without a word use the budget up as well', async () => {
      const step = stepClaim({ maximumAttempts: 1 });
      const claim = await abandoned(ledger(), step);
      expect(await ledger().claim(again(step))).toEqual({
        state: 'exhausted',
        attempts: 1,
        error: null,
        spent: NOTHING_USED,
      });
      // Nobody took it over: its holder may still bring the result.
      expect(await ledger().complete(claim, { result: 'late' })).toBe('recorded');
      expect(await ledger().claim(again(step))).toMatchObject({ state: 'completed' });
    });

    test('are counted anew for another Temporal execution, and all together as well', async () => {
      const step = stepClaim({ maximumAttempts: 1 });
      const first = await claimed(ledger(), step);
      await ledger().fail(first, { code: 'tool.failed', message: 'one' });
      expect((await ledger().claim(again(step))).state).toBe('exhausted');
      const resumed = again(step, { runId: 'run-2' });
      expect(granted(await ledger().claim(resumed))).toMatchObject({ attempt: 1, last: true });
      expect(await ledger().step(step.scope, step.step)).toMatchObject({
        attempts: 2,
        runId: 'run-2',
      });
    });

    test('are not used up by waiting for somebody else', async () => {
      const step = stepClaim({ maximumAttempts: 2 });
      const claim = await claimed(ledger(), step);
      for (let i = 0; i < 5; i++) await ledger().claim(again(step));
      await ledger().fail(claim, { code: 'tool.failed', message: '' });
      expect(granted(await ledger().claim(again(step))).attempt).toBe(2);
    });
  });
}
