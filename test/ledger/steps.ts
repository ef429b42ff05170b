import { randomUUID } from 'node:crypto';
import type { Claim, ClaimAnswer, Ledger, PlannedStep, StepClaim } from '../../src/ledger/port.ts';
import { eventually } from '../support/eventually.ts';

/** A claim of a new tool step in a scope of its own; `change` says what the test is about. */
export function stepClaim(change: Partial<StepClaim> = {}): StepClaim {
  return {
    scope: `scope-${randomUUID()}`,
    step: 't1.c0',
    turn: 1,
    kind: 'tool',
    name: 'lookup_order',
    effect: 'read',
    digest: 'a'.repeat(64),
    nonce: randomUUID(),
    leaseMs: 60_000,
    maximumAttempts: 5,
    workflowId: 'agent-support-k1',
    runId: 'run-1',
    worker: 'worker-1',
    ...change,
  };
}

/** The same step, wanted by another invocation. */
export function again(step: StepClaim, change: Partial<StepClaim> = {}): StepClaim {
  return { ...step, nonce: randomUUID(), worker: 'worker-2', ...change };
}

export function plannedStep(index: number, change: Partial<PlannedStep> = {}): PlannedStep {
  return {
    step: `t1.c${index}`,
    turn: 1,
    tool: 'lookup_order',
    effect: 'read',
    digest: 'a'.repeat(64),
    request: { order: 1040 + index },
    ...change,
  };
}

type Granted = Extract<ClaimAnswer, { state: 'claimed' }>;

export function granted(answer: ClaimAnswer): Granted {
  if (answer.state !== 'claimed') throw new Error(`not claimed but ${answer.state}`);
  return answer;
}

export async function claimed(ledger: Ledger, step: StepClaim): Promise<Claim> {
  return granted(await ledger.claim(step)).claim;
}

/** Claims with a lease that is over when this returns: nobody holds the step, nobody took it. */
export async function abandoned(ledger: Ledger, step: StepClaim): Promise<Claim> {
  const claim = await claimed(ledger, { ...step, leaseMs: 1 });
  await leasesOver(ledger);
  return claim;
}

/** Waits until every lease of one millisecond that was granted before is over. */
export async function leasesOver(ledger: Ledger): Promise<void> {
  const canary = stepClaim({ leaseMs: 1 });
  await claimed(ledger, canary);
  await eventually(async () => granted(await ledger.claim(again(canary))));
}
