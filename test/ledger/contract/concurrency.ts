import { describe, expect, test } from '@jest/globals';
import type { ClaimAnswer, Ledger, StepClaim } from '../../../src/ledger/port.ts';
import { again, claimed, leasesOver, stepClaim } from '../steps.ts';

const STEPS = 50;
const CLAIMS = 40;

export function testConcurrency(workers: () => readonly Ledger[]): void {
  describe('of many claims at once', () => {
    test('of a new step exactly one is granted', async () => {
      for (let i = 0; i < STEPS; i++) {
        expect(tally(await claimAtOnce(workers(), stepClaim()))).toEqual({
          'claimed 1': 1,
          busy: CLAIMS - 1,
        });
      }
    });

    test('of a step whose lease is over exactly one takes it over', async () => {
      const [ledger] = workers();
      if (ledger === undefined) throw new Error('no worker');
      const steps = Array.from({ length: STEPS }, () => stepClaim());
      for (const step of steps) await claimed(ledger, { ...step, leaseMs: 1 });
      await leasesOver(ledger);
      for (const step of steps) {
        expect(tally(await claimAtOnce(workers(), step))).toEqual({
          'claimed 2': 1,
          busy: CLAIMS - 1,
        });
        expect(await ledger.step(step.scope, step.step)).toMatchObject({
          attempts: 2,
          unknownAttempts: 1,
        });
      }
    });

    test('while the holder completes, each waits or gets the result: none runs it', async () => {
      const [ledger] = workers();
      if (ledger === undefined) throw new Error('no worker');
      for (let i = 0; i < STEPS; i++) {
        const step = stepClaim();
        const claim = await claimed(ledger, step);
        const [recorded, twin, answers] = await Promise.all([
          ledger.complete(claim, { result: i }),
          ledger.complete(claim, { result: i }),
          claimAtOnce(workers(), step),
        ]);
        expect([recorded, twin]).toEqual(['recorded', 'recorded']);
        const { busy = 0, completed = 0 } = tally(answers);
        expect(busy + completed).toBe(CLAIMS);
      }
    });

    test('late completion and takeover exclude each other', async () => {
      const [ledger, other] = workers();
      if (ledger === undefined || other === undefined) throw new Error('no worker');
      const steps = Array.from({ length: STEPS }, () => stepClaim());
      const claims = [];
      for (const step of steps) claims.push(await claimed(ledger, { ...step, leaseMs: 1 }));
      await leasesOver(ledger);
      for (const claim of claims) {
        const step = steps.find(({ scope }) => scope === claim.scope) ?? stepClaim();
        const [recorded, answer] = await Promise.all([
          ledger.complete(claim, { result: 'late' }),
          other.claim(again(step)),
        ]);
        expect(answer.state).toBe(recorded === 'recorded' ? 'completed' : 'claimed');
      }
    });
  });
}

function claimAtOnce(workers: readonly Ledger[], step: StepClaim): Promise<ClaimAnswer[]> {
  return Promise.all(
    Array.from({ length: CLAIMS }, (_, i) => {
      const worker = workers[i % workers.length];
      if (worker === undefined) throw new Error('no worker');
      return worker.claim(again(step, { leaseMs: 60_000 }));
    }),
  );
}

/** How many answers there are of each kind; claims with their fence. */
function tally(answers: readonly ClaimAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) {
    const kind = answer.state === 'claimed' ? `claimed ${answer.claim.fence}` : answer.state;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}
