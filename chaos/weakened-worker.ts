import { randomUUID } from 'node:crypto';
import { readFlag } from '../src/env.ts';
import { withFreshToken } from '../src/extras/dev/fresh-token.ts';
import type { Claim, ClaimAnswer, Ledger, StepClaim } from '../src/ledger/port.ts';
import { spentOn } from '../src/ledger/claim-answer.ts';
import type { WorkerParts } from '../src/worker/worker-parts.ts';

/**
 * Takes protections away from a worker, so that the kit and the fuzz can be seen to notice:
 * `CHAOS_NO_TOKENS` sends another token in each attempt, `CHAOS_NO_FENCE` lets an attempt act and
 * record that has lost its claim, `CHAOS_NO_CLAIM` grants every claim, whoever has the step.
 */
export function weakenWorker(parts: WorkerParts): WorkerParts {
  const { ledger } = parts;
  return {
    ...(readFlag('CHAOS_NO_TOKENS', false) ? withFreshTokens(parts) : parts),
    ledger: replaceIn(ledger, {
      ...(readFlag('CHAOS_NO_FENCE', false) ? withoutFence(ledger) : {}),
      ...(readFlag('CHAOS_NO_CLAIM', false) ? { claim: (step) => claimAnyway(ledger, step) } : {}),
    }),
  };
}

function replaceIn(ledger: Ledger, replaced: Partial<Ledger>): Ledger {
  return new Proxy(ledger, {
    get(target, name) {
      const own: unknown = Reflect.get(replaced, name) ?? Reflect.get(target, name);
      return typeof own === 'function' ? (own.bind(target) as unknown) : own;
    },
  });
}

function withFreshTokens({ agents, model, ...parts }: WorkerParts): WorkerParts {
  return {
    ...parts,
    agents: { ...agents, tools: () => agents.tools().map(withFreshToken) },
    model: {
      complete: (request, context) => model.complete(request, { ...context, token: randomUUID() }),
    },
  };
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
    asking: null,
    ledger: (await ledger.identity()).id,
  };
}
