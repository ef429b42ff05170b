import type { Claim, ClaimAnswer, Ledger, StepClaim } from '../ledger/port.ts';
import { spentOn } from '../ledger/claim-answer.ts';

/** What a test takes away from the ledger, to see whether a check notices. */
export interface Weakness {
  /** Nobody is asked whether a claim is still theirs: whoever acts late is let through. */
  noFence: boolean;
  /** Every claim is granted, also that of a step that somebody holds, or that is done. */
  noClaim: boolean;
}

/** Tests only: a ledger without one of its guards. With none taken away, the ledger itself. */
export function weakenLedger(ledger: Ledger, { noFence, noClaim }: Weakness): Ledger {
  const weak: Partial<Ledger> = {
    ...(noFence ? withoutFence(ledger) : {}),
    ...(noClaim ? { claim: (step) => claimAnyway(ledger, step) } : {}),
  };
  if (Object.keys(weak).length === 0) return ledger;
  return new Proxy(ledger, {
    get(target, name) {
      const own: unknown = Reflect.get(weak, name) ?? Reflect.get(target, name);
      return typeof own === 'function' ? (own.bind(target) as unknown) : own;
    },
  });
}

function withoutFence(ledger: Ledger): Pick<Ledger, 'renew' | 'complete' | 'transact'> {
  const latest = async (claim: Claim): Promise<string> =>
    (await ledger.step(claim.scope, claim.step))?.fence ?? claim.fence;
  return {
    renew: () => Promise.resolve(true),
    complete: async (claim, completion) =>
      ledger.complete({ ...claim, fence: await latest(claim) }, completion),
    // Without the signal: it would cancel the query of whoever has lost the claim, if it came in time.
    transact(claim, work) {
      const taken = { ...claim };
      return ledger.transact(taken, async (tx) => {
        const completion = await work(tx);
        // Read by the completion that follows: it finds the fence of whoever has it by now.
        taken.fence = await latest(claim);
        return completion;
      });
    },
  };
}

async function claimAnyway(ledger: Ledger, step: StepClaim): Promise<ClaimAnswer> {
  const answer = await ledger.claim(step);
  if (answer.state !== 'busy' && answer.state !== 'completed') return answer;
  const held = await ledger.step(step.scope, step.step);
  // What a person decided cannot be renewed: the attempt would fail for ever, and do no damage.
  if (!held || held.knownBy === 'person') return answer;
  const { scope, fence, attempts, unknownAttempts, request, round } = held;
  return {
    state: 'claimed',
    claim: { scope, step: step.step, fence, leaseMs: step.leaseMs },
    attempt: attempts + 1,
    last: false,
    attempts: attempts + 1,
    unknownAttempts,
    request,
    round,
    spent: spentOn(held),
    ledger: (await ledger.identity()).id,
  };
}
