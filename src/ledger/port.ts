import type {
  Decision,
  DecisionInput,
  DecisionResult,
  QuestionKind,
} from '../contract/decision.ts';
import type { JsonValue } from '../contract/json.ts';
import type { Effect, KnownBy, StepUsage } from '../contract/step.ts';
import type { Transaction } from '../contract/transaction.ts';
import type { LedgerCleaner } from './cleaner.ts';

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
  leaseMs: number;
  /** Executed attempts allowed in one Temporal execution (`runId`). */
  maximumAttempts: number;
  workflowId: string;
  /** Temporal's run ID: a new execution (reset, resume) has all its attempts before it. */
  runId: string;
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

/** Who a ledger is. */
export interface LedgerIdentity {
  /** UUID; another one after every restore that a person has accepted. */
  id: string;
  /** The ledgers that it stands in for, by a person's word. */
  standsInFor: string[];
  /** ISO 8601: its runs have moved to a copy, and no step is claimed here; `null`: it is in use. */
  closedAt: string | null;
}

/** A claim that was granted. The fence is a counter in the row: whoever took over has a higher one. */
export interface Claim {
  scope: string;
  step: string;
  fence: string;
  leaseMs: number;
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
      /** Identity of this ledger. */
      ledger: string;
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

export interface StepError {
  code: string;
  message: string;
}

/** How an attempt failed. */
export interface FailedAttempt {
  /**
   * `false`: the attempt was ended by trouble that is not its own (a worker that is stopped, a
   * database that went away), and uses up none of the execution's attempts. Default: `true`.
   */
  counted?: boolean;
  /** Present when a whole answer was read and is unusable: the round that asked for it is over. */
  answered?: UnusableRound;
}

/** A request of a model step that was answered, with nothing to go on with. */
export interface UnusableRound {
  /** The round of the request; the step's next one is the one after it. */
  round: number;
  /** What the answer used; `null`: not known. */
  usage: StepUsage | null;
}

/** The attempt whose outcome is unknown. */
export interface UnknownAttempt {
  fence: string;
  worker: string;
  claimedAt: string;
  /** What it threw; `null`: it ended without a word, or goes on somewhere. */
  error: StepError | null;
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

/** How a recorded result came to be known, but for the ordinary way. */
export type RecordedKnowledge = Exclude<KnownBy, 'executed' | 'ledger'>;

/**
 * What became of a completion: `recorded`, now or before; `settled`: so it is, and meanwhile the
 * outcome was held to be unknown; `lost`: the claim is no longer ours, nothing was written.
 */
export type Recorded = 'recorded' | 'settled' | 'lost';

/** A question about a step. */
export interface Question {
  scope: string;
  step: string;
  kind: QuestionKind;
  /** Of the step: an approval is bound to these very arguments. */
  digest: string;
  /** Of the attempt whose outcome is unknown; `null` for an approval. */
  fence: string | null;
  /** For how long an approval can be used, in milliseconds. */
  validMs: number;
  workflowId: string;
  /** Temporal's run ID: `fail` is an answer for the execution that asked, and for no other. */
  runId: string;
}

/** A question as the ledger has it. */
export interface AskedQuestion {
  scope: string;
  step: string;
  kind: QuestionKind;
  round: number;
  askedAt: string;
  runId: string;
  /** `null`: nobody has answered. */
  decision: Decision | null;
  by: string | null;
  comment: string | null;
  decidedAt: string | null;
}

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

/** A tool call that was asked for and not yet claimed. */
export interface PlannedStep {
  step: string;
  turn: number;
  tool: string;
  effect: Effect;
  digest: string;
  request: JsonValue;
}

export type StepState = 'planned' | 'claimed' | 'completed' | 'failed' | 'unknown';

export interface StepRecord {
  scope: string;
  step: string;
  turn: number;
  kind: 'model' | 'tool';
  name: string;
  effect: Effect | null;
  digest: string;
  state: StepState;
  request: JsonValue | null;
  /** `null` unless completed. */
  result: JsonValue | null;
  /** Size of the result as JSON, before compression. */
  resultBytes: number | null;
  /** `null`: not completed, or by an attempt of the step itself. */
  knownBy: RecordedKnowledge | null;
  sharedWith: string | null;
  /** Of the last claim. */
  fence: string;
  attempts: number;
  unknownAttempts: number;
  /**
   * Of a model step's next request: one after the last that was answered with something unusable, in
   * whatever execution. A call that was taken over begins in the round of its owner.
   */
  round: number;
  /** Whole answers to this step that were unusable. */
  unusableAnswers: number;
  /** Errors of failed attempts, oldest first, the last ten. */
  errors: StepError[];
  /** Of all answers, unusable ones included. `null`: there is none, or its usage is not known. */
  inputTokens: number | null;
  outputTokens: number | null;
  costUsd: number | null;
  workflowId: string;
  runId: string;
  worker: string | null;
  claimedAt: string | null;
  endedAt: string | null;
}

/** How a step ended well: for whoever would have run it. */
export type RecordedStep = Pick<
  StepRecord,
  | 'result'
  | 'resultBytes'
  | 'knownBy'
  | 'sharedWith'
  | 'attempts'
  | 'unknownAttempts'
  | 'inputTokens'
  | 'outputTokens'
  | 'costUsd'
>;

/** A step as a later turn needs it. */
export type EarlierStep = Pick<StepRecord, 'step' | 'state' | 'digest' | 'request' | 'result'>;

/**
 * The table of steps: who claimed one, how it ended, what it cost. Every backend passes
 * `test/ledger/contract.ts`.
 *
 * Every method throws `AgentOnceError` `ledger.unreachable` when the backend cannot be reached or
 * is going down: the caller asks again, nothing is decided.
 */
export interface Ledger {
  /** Whether `transact` works. */
  readonly transactions: boolean;

  /** Deletes what no run needs any more. Absent: the backend does not know how. */
  readonly cleaner?: LedgerCleaner;

  /**
   * Claims a step, or says why not. One round trip.
   *
   * | the step is | answer |
   * | --- | --- |
   * | new, planned, or its last attempt failed | `claimed` |
   * | claimed with this nonce | `claimed`, with the same fence |
   * | completed | `completed` |
   * | claimed, lease live | `busy` |
   * | claimed, lease over | `claimed` with the next fence, one more unknown attempt |
   * | the same, and `at-most-once` then or now; or in outcome unknown | `unknown` |
   * | to be claimed, but `maximumAttempts` of this execution are used up | `exhausted` |
   * | recorded with another digest | `diverged` |
   * | in a closed ledger, whatever it is | `restored` |
   * | without something of `seen` that this very ledger held | `restored` |
   * | without a tool's row or the turn before, seen in a ledger that this one stands in for | `restored`, `accepted` |
   * | seen in a ledger that this one stands in for, not claimed here since, and `at-most-once` | `unknown` |
   * | the same, and not `at-most-once` | `claimed`; one lost attempt is counted as unknown |
   * | in a retired scope, whatever it is | `superseded` |
   */
  claim(step: StepClaim): Promise<ClaimAnswer>;

  /**
   * Extends the lease. `false`: the claim is no longer ours. Completed by it, it still is; by a
   * person's word, it is not.
   */
  renew(claim: Claim): Promise<boolean>;

  /**
   * Records the result. Repeatable: a completion that is already recorded under this fence is
   * `recorded`. A completion after the lease is over counts as long as nobody took the step over,
   * also when its outcome was held to be unknown: then it settles that.
   */
  complete(claim: Claim, completion: Completion): Promise<Recorded>;

  /**
   * Releases the claim with the error of its attempt. `false`: the claim is no longer ours.
   * Repeatable: the error is kept once, and an unusable answer counted once.
   */
  fail(claim: Claim, error: StepError, how?: FailedAttempt): Promise<boolean>;

  /**
   * Ends the claim with its outcome unknown: what was thrown does not say whether the effect
   * happened. `false`: the claim is no longer ours. Repeatable.
   */
  abandon(claim: Claim, error: StepError): Promise<boolean>;

  /** Adds to the errors of a step, whatever its state: for what an attempt did that had lost it. */
  note(scope: string, step: string, error: StepError): Promise<void>;

  /**
   * Asks, or finds the question asked before, answered or not. It is asked anew (the next round)
   * when the last one was about another attempt or other arguments, when its approval can no
   * longer be used, or when its answer was `fail` in another execution. One that another execution
   * asked and nobody has answered is taken over: `askedAt` is now, and `fail` will end this one.
   * Repeatable.
   */
  ask(question: Question): Promise<AskedQuestion>;

  /**
   * Answers a question, once: the same answer again is `repeated`, another one a `conflict`. What
   * is known of the step changes with it, in one transaction: `happened` completes it with the
   * result, known by a person; `did-not-happen` releases it, with all its attempts before it. A
   * step that is no longer in outcome unknown is `settled`. An answer that does not fit the kind
   * of the question is to none.
   */
  decide(scope: string, answer: DecisionInput): Promise<DecisionResult>;

  /** All questions about steps of a scope, oldest first. */
  questions(scope: string): Promise<AskedQuestion[]>;

  /**
   * Runs `work` in a transaction and completes the step in it, last. `false`: the claim is no
   * longer ours, everything was rolled back. An error of `work` rolls back and is thrown as it is.
   * `ledger.unreachable` may also mean that the answer to the commit was lost: whether it happened
   * is learnt by claiming again. The transaction begins with the first query, and is rolled back
   * when it is idle for longer than `leaseMs` after that.
   *
   * @param signal ends the query of `work` that is under way
   */
  transact(
    claim: Claim,
    work: (tx: Transaction) => Promise<Completion>,
    signal?: AbortSignal,
  ): Promise<boolean>;

  /**
   * Asks who does what several steps want done once. Of many that ask at once, exactly one is told
   * that it is `mine`; an owner that asks again is told the same.
   *
   * | the owner's step is | whose it is |
   * | --- | --- |
   * | completed | the owner's until its window is over, then the asker's |
   * | claimed with a live lease, or in outcome unknown | the owner's |
   * | claimed, its lease over, and `at-most-once` | the owner's |
   * | planned | the owner's for `leaseMs` from when it asked, then the asker's |
   * | failed, absent, its lease over otherwise | the asker's |
   * | not completed, in a retired scope | the asker's |
   */
  share(request: ShareRequest): Promise<ShareAnswer>;

  /** Ends a scope for good: no step of it is claimed any more. Repeatable. */
  retire(scope: string): Promise<void>;

  /** Who this ledger is. */
  identity(): Promise<LedgerIdentity>;

  /** One step, or `undefined`. */
  step(scope: string, step: string): Promise<StepRecord | undefined>;

  /** All steps, by turn; the model's before its calls, these by index. */
  steps(scope: string): Promise<StepRecord[]>;

  /** What the turns before one consist of, in the order of `steps`. */
  earlier(scope: string, beforeTurn: number): Promise<EarlierStep[]>;

  close(): Promise<void>;
}
