import type { Asking } from '../contract/asking.ts';
import type { Decision, DecisionInput, QuestionKind } from '../contract/decision.ts';
import type { JsonValue } from '../contract/json.ts';
import type { Effect, KnownBy } from '../contract/step.ts';

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
  /**
   * Of a call that a person approved with other arguments, which `digest` and `request` are of: what
   * the model had asked for. `null`: nobody changed it.
   */
  askedDigest: string | null;
  askedRequest: JsonValue | null;
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
  /** Of a model step that is not completed: what its next attempt must know. `null`: nothing. */
  asking: Asking | null;
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

export interface StepError {
  code: string;
  message: string;
  /** Of a model call that got no answer: the endpoint may have made one, and counted it. */
  mayBePaid?: true;
}

/** How a recorded result came to be known, but for the ordinary way. */
export type RecordedKnowledge = Exclude<KnownBy, 'executed' | 'ledger'>;

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
export type EarlierStep = Pick<StepRecord, 'step' | 'state' | 'digest' | 'request' | 'result'> & {
  /** Of the claim that had it last: no two attempts have the same. Absent where claims do not say `before`. */
  nonce?: string | null;
  /** Whether a person changed its arguments, which `request` is of. Absent: nobody did. */
  edited?: boolean;
};

/** A tool call that was asked for and not yet claimed. */
export interface PlannedStep {
  step: string;
  turn: number;
  tool: string;
  effect: Effect;
  digest: string;
  request: JsonValue;
}

/** An answer to a question, as a ledger takes it. */
export type LedgerAnswer = Omit<DecisionInput, 'arguments'> & {
  /** With `approve`: the call with the arguments that it is approved with. */
  edited?: EditedCall;
};

/** A call that a person gave other arguments. */
export interface EditedCall {
  digest: string;
  request: JsonValue;
}

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
  /** Digest of the call that was approved, where that is another one than was asked about. */
  approvedDigest: string | null;
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
