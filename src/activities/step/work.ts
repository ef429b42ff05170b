import type { ErrorCode } from '../../contract/errors.ts';
import type { StepPolicy } from '../../contract/settings.ts';
import { tokenOf } from '../../contract/step.ts';
import type { Transaction } from '../../contract/transaction.ts';
import type { ClaimAnswer, Completion, StepClaim } from '../../ledger/port.ts';
import type { ActivityDeps } from '../deps.ts';

export type GrantedAnswer = Extract<ClaimAnswer, { state: 'claimed' }> & Pick<StepClaim, 'nonce'>;

export interface StepPlan {
  /** Everything of the claim that the activity's own context does not know. */
  claim: Omit<
    StepClaim,
    | 'nonce'
    | 'leaseMs'
    | 'lease'
    | 'maximumAttempts'
    | 'workflowId'
    | 'runId'
    | 'activityId'
    | 'worker'
  >;
  policy: StepPolicy;
  /** Name at the fault points: the tool's, or `model`. */
  faultName: string;
  /** Of an error of the work that has no code. */
  defaultCode: ErrorCode;
}

/** An attempt under way; `limit` aborts when its time is over. */
export interface Running {
  deps: ActivityDeps;
  plan: StepPlan;
  answer: GrantedAnswer;
  limit: AbortSignal;
}

/**
 * The work of a step, once its claim is granted. What surrounds it (`share`, `approve`) is a function
 * from one to another. `undefined`: see `Granted.inTransaction`.
 */
export type StepWork = (granted: Granted) => Promise<Completion | undefined>;

/** What a step's work gets. */
export interface Granted extends GrantedAnswer {
  /** Token of the step of another run that began this work: it goes on as what that one began. */
  began?: string;
  signal: AbortSignal;
  /**
   * Called right before an effect that must not happen twice. Throws when another attempt has
   * taken the step over meanwhile; from here on, an error does not say that nothing happened.
   */
  beforeEffect(): Promise<void>;
  /**
   * Works in a transaction that records the step too, last. Called once, and its result is the
   * work's. `undefined`: another attempt has taken the step over, and everything was rolled back.
   */
  inTransaction(work: (tx: Transaction) => Promise<Completion>): Promise<Completion | undefined>;
}

/** What a step acts under: the same in every attempt. */
export function tokenFor({ claim: { scope, step }, began }: Granted): string {
  return began ?? tokenOf(scope, step);
}
