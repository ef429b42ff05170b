import type { Asking } from '../contract/asking.ts';
import type { JsonValue } from '../contract/json.ts';
import type { Effect, StepUsage } from '../contract/step.ts';
import type { PlannedStep, RecordedKnowledge, RecordedStep, StepError } from './records.ts';

/** Everything that identifies a step and the invocation that wants to run it. */
export interface StepClaim {
  scope: string;
  /** `t2.model` or `t2.c0`. */
  step: string;
  turn: number;
  kind: 'model' | 'tool';
  /** Name of the model or of the tool. */
  name: string;
  /** `null` for a model call. */
  effect: Effect | null;
  /** SHA-256, hex, of what the step is about to do. Another digest under the same step diverges. */
  digest: string;
  /** What is new in this step: a model step's messages. A tool's arguments are planned beforehand. */
  request?: JsonValue;
  /** UUID, made once per invocation: a claim whose answer was lost is claimed again with it. */
  nonce: string;
  /** How long the claim holds without renewal, where it hangs on no worker's lease. */
  leaseMs: number;
  /**
   * The worker's lease that the claim hangs on: it holds for as long as that is renewed, and for
   * `holdMs` at most, in milliseconds.
   */
  lease?: { id: string; holdMs: number } | undefined;
  /** Executed attempts allowed in one Temporal execution (`runId`). */
  maximumAttempts: number;
  workflowId: string;
  /** Temporal's run ID: a new execution (reset, resume) has all its attempts before it. */
  runId: string;
  /** Temporal's ID of the activity in it. Absent: nobody can tell Temporal that the attempt is over. */
  activityId?: string;
  /** Worker and process, for the person who must know whether it is dead. */
  worker: string;
  /** What the run has seen recorded before: a ledger that lacks it is not the one, or an older state. */
  seen?: SeenRecords;
}

/** What a run knows that its ledger must hold. Everything that is absent is not checked. */
export interface SeenRecords {
  /** Identity of the ledger that held it. */
  ledger?: string;
  /** The step has a row: a tool's is planned with the model's answer. */
  row?: true;
  /** The step is completed. */
  done?: true;
  /** An earlier attempt of the step had this fence. */
  fence?: string;
  /** The model step of the turn before is completed, with this digest. */
  previous?: { step: string; digest: string };
}

/** A claim that was granted. The fence is a counter in the row: whoever took over has a higher one. */
export interface Claim {
  scope: string;
  step: string;
  fence: string;
  leaseMs: number;
  lease?: string | undefined;
}

export type ClaimAnswer =
  /** Run it. `attempt` counts this execution's attempts from 1, `last` says there is none after. */
  | {
      state: 'claimed';
      claim: Claim;
      attempt: number;
      last: boolean;
      /** All attempts of the step, this one included, in all executions. */
      attempts: number;
      /** All attempts of the step that ended without a recorded result, in all executions. */
      unknownAttempts: number;
      request: JsonValue | null;
      /** See `StepRecord`. */
      round: number;
      /** What unusable answers to this step have used. */
      spent: StepUsage;
      /** Of a model step: what earlier attempts left for this one; `null`: nothing. */
      asking: Asking | null;
      /** Identity of this ledger. */
      ledger: string;
      /**
       * Of a model step: SHA-256, hex, of lines `step state nonce`, sorted and joined by newlines, of the
       * steps of the turns before it. Absent: the backend does not say.
       */
      before?: string | undefined;
    }
  /** It is done: nothing runs. */
  | { state: 'completed'; record: RecordedStep; ledger: string }
  /** The ledger lacks what the run has seen. Nothing was changed. */
  | { state: 'restored'; lacks: Lack; ledger: string; accepted: boolean }
  /** Somebody holds it; ask again in `retryAfterMs`. */
  | { state: 'busy'; retryAfterMs: number; worker: string }
  /** The scope is retired: a newer run has the key. */
  | { state: 'superseded' }
  /** The ledger holds another call under this step. */
  | { state: 'diverged' }
  /** An attempt ended without a recorded result, and only a person may say how. */
  | { state: 'unknown'; attempt: UnknownAttempt }
  /** No attempt is left; `error` is what the last one said. */
  | { state: 'exhausted'; attempts: number; error: StepError | null; spent: StepUsage };

/**
 * What a ledger lacks of what a run has seen: `all`, it is another ledger; `records`, it is an older
 * state of the same one; `claims`, it is closed, and its runs have moved to a copy.
 */
export type Lack = 'all' | 'records' | 'claims';

/** The attempt whose outcome is unknown. */
export interface UnknownAttempt {
  fence: string;
  worker: string;
  claimedAt: string;
  /** What it threw; `null`: it ended without a word, or goes on somewhere. */
  error: StepError | null;
}

/** How an attempt failed. */
export interface FailedAttempt {
  /**
   * `false`: the attempt was ended by trouble that is not its own (a worker that is stopped, a
   * database that went away), and uses up none of the execution's attempts. Default: `true`.
   */
  counted?: boolean;
  /**
   * `true`: where the last error has the same code, it stays the only one. For trouble that lasts: it
   * would push out what other attempts have said.
   */
  once?: boolean;
  /** Present when a whole answer was read and is unusable: the round that asked for it is over. */
  answered?: UnusableRound;
  /** What the next attempt of a model step must know. Absent: what stands there stays. */
  asking?: Asking;
}

/** A request of a model step that was answered, with nothing to go on with. */
export interface UnusableRound {
  /** The round of the request; the step's next one is the one after it. */
  round: number;
  /** What the answer used; `null`: not known. */
  usage: StepUsage | null;
}

/** How a step ended well. */
export interface Completion {
  result: JsonValue;
  /** Of this answer alone: the ledger adds what unusable ones before it used. */
  usage?: StepUsage;
  /** The tool calls that a model step's answer asks for, recorded with it in one statement. */
  planned?: PlannedStep[];
  /** Present where no attempt of this step had the effect that `result` is of. */
  knownBy?: RecordedKnowledge;
  /**
   * Token of the step that this one took its result from, or under whose token it had its effect.
   * Its own: it was taken over, and took the result from there.
   */
  sharedWith?: string;
}

/**
 * What became of a completion: `recorded`, now or before; `settled`: so it is, and meanwhile the
 * outcome was held to be unknown; `lost`: the claim is no longer ours, nothing was written.
 */
export type Recorded = 'recorded' | 'settled' | 'lost';

/** A step that asks to do what others may be asking to do as well. */
export interface ShareRequest {
  /** Hash of what is shared: the steps that ask under one name want the same result. */
  name: string;
  /** The step that asks. It has claimed itself, or does so within `leaseMs`. */
  scope: string;
  step: string;
  /** For how long a completed owner's result is shared, from when it became the owner; 0: never. */
  windowMs: number;
  /** For how long an owner is waited for that has not claimed its step. */
  leaseMs: number;
}

/** Whether the step that asked does the work (`mine`), and which step does it. */
export interface ShareAnswer {
  mine: boolean;
  owner: { scope: string; step: string };
  /**
   * The step that began it: the owner, or the first of those that it was taken over from one after
   * the other before any of them was completed. Whoever has an effect has it under this one's token.
   */
  first: { scope: string; step: string };
  /** The round in which whoever does the work begins: that of the owner it was taken over from. */
  round: number;
}
