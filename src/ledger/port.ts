import type { Asking } from '../contract/asking.ts';
import type { DecisionResult } from '../contract/decision.ts';
import type { Transaction } from '../contract/transaction.ts';
import type {
  Claim,
  ClaimAnswer,
  Completion,
  FailedAttempt,
  Recorded,
  ShareAnswer,
  ShareRequest,
  StepClaim,
} from './claims.ts';
import type { LedgerCleaner } from './cleaner.ts';
import type {
  AskedQuestion,
  EarlierStep,
  LedgerAnswer,
  LedgerIdentity,
  Question,
  StepError,
  StepRecord,
} from './records.ts';

/** What a worker hears when it renews its lease. */
export interface LeaseNews {
  /** How many of its claims were taken from it so far: another number than before says to look. */
  losses: string;
  /** Temporal's run IDs of executions that were cancelled while a claim of theirs hung on it. */
  cancelled: string[];
  /** Whether other leases are over: a look at `left` is worth it. */
  over: boolean;
}

/** A step that a worker left behind, by Temporal's names. */
export interface LeftStep {
  workflowId: string;
  runId: string;
  activityId: string;
}

/** Leases that claims of a worker hang on: one is renewed in the place of all of them. */
export interface WorkerLeases {
  /**
   * Begins a lease, or extends it.
   *
   * @param id a UUID of the process
   * @param holdsMs for how long from now; default five seconds
   */
  renew(id: string, holdsMs?: number): Promise<LeaseNews>;
  /** Which of these claims the lease has no more. */
  lost(id: string, claims: readonly Claim[]): Promise<Claim[]>;
  /**
   * What workers have left behind whose leases are over. Temporal waits for them; each is told three
   * times at most, to whoever asks first.
   */
  left(): Promise<LeftStep[]>;
  /** Lets the workers at work for this execution hear that it was cancelled. */
  cancel(scope: string, runId: string): Promise<void>;
  /** Ends it: its claims may be taken at once. */
  end(id: string): Promise<void>;
}

export type * from './claims.ts';
export type * from './records.ts';

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

  /** Its connections at this moment, as numbers. Absent: the backend has no pool of them. */
  readonly connections?: {
    readonly inUse: number;
    readonly idle: number;
    readonly waiting: number;
  };

  /** Leases of workers. Absent: each step's claim is renewed by itself. */
  readonly leases?: WorkerLeases;

  /** What an operator should know of this backend, for a worker's log. */
  readonly remark?: string;

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
   * | claimed, lease over | `claimed` with the next fence, one more unknown attempt; none more where a response is pending |
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
   * Keeps what the next attempt of a model step must know, should this one die. `false`: the claim is
   * no longer ours. Repeatable.
   */
  keepAsking(claim: Claim, asking: Asking): Promise<boolean>;

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
  endUnknown(claim: Claim, error: StepError): Promise<boolean>;

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
   * of the question is to none. An approval of other arguments gives them to the step, and keeps
   * those that were asked for.
   *
   * @throws {AgentOnceError} `decision.invalid`: an attempt of the step with its arguments was begun,
   *   so it cannot get others
   */
  decide(scope: string, answer: LedgerAnswer): Promise<DecisionResult>;

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

  /** What the turns before one consist of, from `fromTurn` (1) on, in the order of `steps`. */
  earlier(scope: string, beforeTurn: number, fromTurn?: number): Promise<EarlierStep[]>;

  close(): Promise<void>;
}
