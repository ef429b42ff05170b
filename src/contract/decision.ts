import type { JsonValue } from './json-value.ts';

/**
 * What a person may be asked about a step: whether it may run at all, or how an attempt of an
 * `at-most-once` tool ended that left neither a result nor the word that nothing happened.
 */
export type QuestionKind = 'approval' | 'outcome';

/** The answers to each kind of question. `fail` ends the run and leaves the step as it is. */
export const ANSWERS = {
  approval: ['approve', 'deny', 'fail'],
  outcome: ['happened', 'did-not-happen', 'fail'],
} as const satisfies Record<QuestionKind, readonly string[]>;
export type Decision = (typeof ANSWERS)[QuestionKind][number];

/** Whether a decision is an answer to questions of this kind. */
export function isAnswerTo(kind: QuestionKind, decision: Decision): boolean {
  return ANSWERS[kind].some((answer) => answer === decision);
}

/** Kinds of questions that a decision can answer. */
export function kindsAnsweredBy(decision: Decision): QuestionKind[] {
  return (Object.keys(ANSWERS) as QuestionKind[]).filter((kind) => isAnswerTo(kind, decision));
}

/** Who has answered where nobody did in time. */
export const THE_DEADLINE = 'the deadline';

/** How long a run waits for an answer, and the answer that stands for none. */
export interface Deadline {
  ms: number;
  otherwise: Decision;
}

/** How a tool's calls ask people; pinned with the model's answer. Times in milliseconds. */
export interface QuestionTerms {
  /** Present: the call runs only when a person has approved it. */
  approval?: Deadline & { validMs: number };
  /** Present for `at-most-once` tools. */
  outcome?: Deadline;
}

/** A question that waits for a person, as the run shows it. Times are ISO 8601. */
export interface OpenQuestion {
  /** `t2.c0`. */
  step: string;
  kind: QuestionKind;
  /** Counts the questions of this kind about the step. An answer names the one that it is to. */
  round: number;
  tool: string;
  summary: string;
  askedAt: string;
  /** When `otherwise` is taken for the answer. */
  deadline: string;
  otherwise: Decision;
  /** Worker and process of the attempt whose outcome is unknown: a person must know it is dead. */
  worker: string | null;
  /** When that attempt claimed the step. */
  claimedAt: string | null;
  /** What that attempt threw, if it could. */
  error: string | null;
  /** Of an approval: whoever approves may change the arguments. */
  editable?: true;
}

/** A question as the run's memo shows it. */
export interface QuestionPreview extends OpenQuestion {
  /** A text of it is shortened. */
  cut?: true;
}

/**
 * What a run's memo says of its questions: the first few. The run itself knows them all, and says
 * them to whoever sends the `state` query.
 */
export interface WaitingMemo {
  /** Empty or `null`: it asks nothing. */
  waiting?: QuestionPreview[] | null;
  /** How many questions there are besides. */
  waitingMore?: number | null;
}

/** Argument of the activity that records a decision. */
export interface RecordDecisionInput {
  scope: string;
  answer: DecisionInput;
  /** The run waits for an answer to this very question, asked in the ledger of this identity. */
  asked?: { ledger?: string };
}

/** Argument of the `decide` update. */
export interface DecisionInput {
  step: string;
  decision: Decision;
  /**
   * Which question about the step. Absent: the one that is open when a client sends it; a run takes
   * an answer without it only for the repetition of one that stands.
   */
  round?: number;
  /** With `happened`: what the tool would have returned. */
  result?: JsonValue;
  /**
   * With `approve`, of a tool whose `approval` is `editable`: the whole arguments that the call is to
   * run with. Absent, or equal to those that it has: with those.
   */
  arguments?: JsonValue;
  /** Who decides. */
  by: string;
  /** Why. */
  comment?: string;
}

/**
 * What became of a decision: `recorded` now; `repeated`, it stood already; `settled`, the step's
 * outcome is known without it; `conflict`, another answer stands; `none`, nobody has asked;
 * `restored`, the ledger is not the one or has lost the question, and nobody has accepted that;
 * `lost`, somebody has, and the question is asked again.
 */
export interface DecisionResult {
  outcome: 'recorded' | 'repeated' | 'settled' | 'conflict' | 'none' | 'restored' | 'lost';
  /** The answer that stands, where one does. */
  decision: Decision | null;
  by: string | null;
  decidedAt: string | null;
  /** With `restored`: identity of the ledger that has the question, where the workers' is another. */
  ledger?: string;
  /** Where a person changed the arguments: those that were approved, as JSON, perhaps shortened. */
  approved?: string;
  /** With that: the call on one line for people, as it is and as it was asked for. */
  summary?: string;
}

/** A decision that counts, now or before. */
export interface CountedDecision extends DecisionResult {
  outcome: 'recorded' | 'repeated' | 'settled';
}

/** A decision that counts, or does not because another one does. */
export type ToldDecision = CountedDecision | (DecisionResult & { outcome: 'conflict' });
