import { Context } from '@temporalio/activity';
import { AgentOnceError } from '../../contract/errors.ts';
import { addUsage, usedAnything } from '../../contract/step.ts';
import type { Transaction } from '../../contract/transaction.ts';
import type { Completion, RecordedStep } from '../../ledger/port.ts';
import type { ActivityDeps } from '../deps.ts';
import type { FaultPoint } from '../faults.ts';
import { assertInTime, claimStep } from './claim-step.ts';
import { endAttempt, interrupted } from './end-attempt.ts';
import { haltOf } from './halt.ts';
import { CLAIM_LOST, Lease } from './lease.ts';
import { StepCode } from './step-code.ts';
import { heldByAnother, recordResult, type StepOutcome } from './record.ts';
import { untilAnswered } from './until-answered.ts';
import type { Granted, Running, StepPlan, StepWork } from './work.ts';

/**
 * Runs a step under its claim: claims it, works while the lease is kept, records the result and
 * returns what the ledger holds. A step that is already recorded does not run.
 *
 * @throws {OutcomeUnknown} (claim-step.ts) `at-most-once` steps only
 * @throws {ApplicationFailure} retryable or not, as the tables in `docs/architecture.md` say
 */
export function runStep(deps: ActivityDeps, plan: StepPlan, work: StepWork): Promise<StepOutcome> {
  const code = new StepCode(plan.claim.step, plan.claim.effect);
  return code.run(() => attemptStep(deps, plan, work, code));
}

async function attemptStep(
  deps: ActivityDeps,
  plan: StepPlan,
  work: StepWork,
  code: StepCode,
): Promise<StepOutcome> {
  const { effect } = plan.claim;
  const context = Context.current();
  if (haltOf(deps, context) === 'stopped') throw interrupted();
  deps.faults('before-claim', plan.faultName, context.info.attempt);
  await assertInTime(deps, plan, context);
  // Nobody repeats such an attempt, so its own word is worth waiting for.
  const lease = new Lease(context, plan.policy, deps, effect === 'at-most-once');
  code.onStray((error) => lease.fail(error));
  try {
    const answer = await claimStep(deps, plan, lease, context);
    if (answer.state === 'completed') return asOutcome(answer.record, answer.ledger);
    const { claim, ledger } = answer;
    // A ledger that loses the claim of such an attempt would let its effect happen again.
    const risky = effect === 'at-most-once' || effect === 'reconcile';
    lease.hold(deps.ledger, claim, { ledger, fence: claim.fence }, risky);
    const { signal, limit } = lease;
    return await workUnderClaim({ deps, plan, answer, limit }, work, signal, code);
  } finally {
    lease.stop();
  }
}

async function workUnderClaim(
  running: Running,
  work: StepWork,
  signal: AbortSignal,
  code: StepCode,
): Promise<StepOutcome> {
  const { deps, plan, answer, limit } = running;
  const { claim, attempt, spent, unknownAttempts } = answer;
  const { ledger } = deps;
  const fault = (point: FaultPoint) => deps.faults(point, plan.faultName, attempt);
  let begun = false;
  let transaction: Promise<Completion | undefined> | undefined;
  const transact = async (inside: (tx: Transaction) => Promise<Completion>) => {
    let made: Completion | undefined;
    const within = async (tx: Transaction): Promise<Completion> => {
      made = await code.unlessStrayed(inside(tx));
      fault('after-effect');
      return made;
    };
    return (await ledger.transact(claim, within, signal)) ? made : undefined;
  };
  const granted: Granted = {
    ...answer,
    signal,
    beforeEffect: async () => {
      signal.throwIfAborted();
      const ours = await untilAnswered(() => ledger.renew(claim), limit);
      if (!ours) throw new AgentOnceError('step.claim_lost', CLAIM_LOST);
      begun = true;
    },
    inTransaction: (inside) => (transaction = transact(inside)),
  };
  fault('after-claim');
  try {
    // The run may have been cancelled while the claim was on its way: nothing begins then.
    signal.throwIfAborted();
    let completion = await code.unlessStrayed(work(granted)).catch((error: unknown) => {
      // How a transaction ended, it says itself.
      if (transaction) return undefined;
      throw error;
    });
    if (transaction) {
      completion = await transaction;
    } else if (completion) {
      fault('after-effect');
      if (!(await recordResult(running, completion))) completion = undefined;
    }
    fault('after-record');
    if (completion === undefined) {
      return asOutcome(await heldByAnother(running, begun), answer.ledger);
    }
    fault('before-report');
    const used =
      completion.usage || usedAnything(spent) ? addUsage(spent, completion.usage) : NOT_KNOWN;
    return {
      result: completion.result,
      resultBytes: null,
      ...used,
      knownBy: completion.knownBy ?? 'executed',
      sharedWith: completion.sharedWith ?? null,
      attempts: attempt,
      unknownAttempts,
      ledger: answer.ledger,
      nonce: answer.nonce,
    };
  } catch (error) {
    return await endAttempt(running, begun, error);
  }
}

const NOT_KNOWN = { inputTokens: null, outputTokens: null, costUsd: null };

function asOutcome(record: RecordedStep, ledger: string): StepOutcome {
  return { ...record, knownBy: record.knownBy ?? 'ledger', ledger };
}
