import type { Decision, OpenQuestion, QuestionKind } from '../../contract/decision.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import type {
  ListedStatus,
  ResumeLimits,
  RunError,
  RunOptions,
  Usage,
} from '../../contract/run.ts';
import type { Effect, KnownBy, StepUsage } from '../../contract/step.ts';
import type { StepError, StepState } from '../../ledger/port.ts';
import type { LiveRun } from './read-live.ts';

/** Why an execution was started; `null` where Temporal no longer knows. */
export type ExecutionIntent = 'new' | 'resume' | 'continued' | 'reset' | 'forgotten' | null;

export type ExecutionStatus =
  | 'running'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'terminated'
  | 'timed_out'
  /** Continued as new. */
  | 'continued'
  | 'forgotten'
  /** Deleted by Temporal, after the namespace's retention. */
  | 'gone';

/** One execution under the key, of this run or of an earlier one. Times are ISO 8601. */
export interface ExplainedExecution {
  runId: string;
  intent: ExecutionIntent;
  status: ExecutionStatus;
  startedAt: string | null;
  closedAt: string | null;
  /** The execution that it follows. */
  predecessor: string | null;
  /** What its steps' tokens begin with: executions of one scope are one run. */
  scope: string | null;
  /** How it ended, unless well. */
  error: RunError | null;
  /** Who started it, as Temporal has it: by default process and host of the client. */
  startedBy: string | null;
  /** Who asked it to stop, or ended it; `null`: nobody, or no longer known. */
  stopped: StopRequest | null;
  /** What the resume that made it has set; absent: nothing, or it is none. */
  resumedWith?: ResumeLimits;
}

/** A cancellation or termination, as Temporal recorded it. */
export interface StopRequest {
  how: 'cancel' | 'terminate';
  at: string | null;
  by: string | null;
  reason: string | null;
}

/** `maybe`: an attempt failed or fell silent, and that alone does not say. */
export type Happened = 'yes' | 'no' | 'maybe';

/** A call that the model asked for in vain. */
export interface CallNotRun {
  tool: string;
  /** The step whose answer it got, being the same call; `null`: it was refused. */
  sameAs: string | null;
  /** What the model was told; `null`: it got another's answer. */
  reason: string | null;
}

/** A step of an earlier run that made the same effect. */
export interface RepeatedStep {
  id: string;
  token: string;
  happened: Happened;
  /** Run ID of the execution that ran it. */
  executedIn: string | null;
}

/** Calls to models that may have been paid for, and are in no sum. */
export interface PossiblyPaid {
  calls: number;
  /** Steps that they belong to. */
  steps: string[];
  /** `null`: not known. */
  costUsd: number | null;
}

/** Sums of steps. */
export interface StepsUsage extends Usage {
  /** Calls that were denied, and so not made: in no other number. */
  deniedCalls: number;
}

/** A run that had the key before. */
export interface EarlierRun {
  scope: string;
  /** Run IDs of its executions, oldest first. */
  executions: string[];
  status: ExecutionStatus;
  steps: ExplainedStep[];
  usage: StepsUsage;
}

/** What a person was asked about a step, and what they said. */
export interface ExplainedQuestion {
  step: string;
  kind: QuestionKind;
  /** Counts the questions of this kind about the step. */
  round: number;
  askedAt: string;
  /** Whether the run waits for the answer. */
  waits: boolean;
  /** While it waits: when `otherwise` is taken for the answer. */
  deadline: string | null;
  otherwise: Decision | null;
  /** `null`: nobody answered. */
  decision: Decision | null;
  by: string | null;
  comment: string | null;
  decidedAt: string | null;
  /** It was approved with other arguments; the step has them. */
  edited?: true;
}

/** Arguments that a person changed. */
export interface EditedArguments {
  /** What the model had asked for. */
  asked: JsonValue | null;
  /** What was approved, and runs. */
  approved: JsonValue | null;
  by: string | null;
}

/** What was asked for. */
export interface SentRequest {
  /** Absent unless it was asked for: it may hold what is not everybody's to read. */
  input?: JsonValue;
  options: RunOptions;
}

/** One model call or tool call. */
export interface ExplainedStep {
  /** `t2.model`, `t2.c0`. */
  id: string;
  turn: number;
  kind: 'model' | 'tool';
  model: string | null;
  /** Another of the run's models that answered; absent: its own, or none. */
  answeredBy?: string;
  tool: string | null;
  /** What it is about, on one line; no payload. */
  summary: string | null;
  token: string;
  effect: Effect | null;
  /** Whether its effect happened; `null`: it has none (a model call, a tool that only reads). */
  happened: Happened | null;
  /** Of a model step: calls that it asked for and that were not run. */
  notRun: CallNotRun[];
  /** The same effect, made under this key by an earlier run too. */
  repeats: RepeatedStep[];
  state: StepState;
  /** Executed attempts, in all executions. */
  attempts: number;
  /** Those of the execution `executedIn`, without those that a worker's stop cut short. */
  lastAttempts: number;
  /** Those of them all that ended without a word: neither a result nor an error was recorded. */
  unknownAttempts: number;
  /** Errors of failed attempts, oldest first, the last ten. */
  errors: StepError[];
  /** `executed`: by the current execution; `ledger`: by an earlier one. `null`: not known. */
  knownBy: KnownBy | null;
  /** Who said how it ended, where `knownBy` is `person`. */
  decidedBy: string | null;
  /** What they said, there: with `deny` the call was not made. `null` elsewhere. */
  decision: Decision | null;
  /** Run ID of the execution that ran it last; `null`: none has. */
  executedIn: string | null;
  /** Whole answers of a model that nothing could be done with. They are paid for, and in `usage`. */
  unusableAnswers: number;
  /** A model call of which attempts ended without a word: each may have been paid for. */
  possiblyPaidTwice: boolean;
  /** The last attempt's, and whether it still holds the step; in milliseconds, below zero: over. */
  worker: string | null;
  leaseLeftMs: number | null;
  /** Of a model step that has no answer: one is made for it in the background. */
  isPending?: true;
  claimedAt: string | null;
  endedAt: string | null;
  /** The last attempt's, once it has ended. */
  durationMs: number | null;
  usage: StepUsage | null;
  /** Present where other steps, of this run or another, have the same result: it was made once. */
  sharing?: Sharing;
  /** Of a call whose arguments a person changed. */
  edited?: EditedArguments;
}

/** A result that several steps have. */
export interface Sharing {
  /** Token of the step that made it, which is also the one that it was paid for in. */
  with: string;
  /** How many steps have it; `null`: not known. */
  steps: number | null;
  /** What it cost, once; `null`: not known. */
  costUsd: number | null;
  /** The cost divided by the steps. Only for reading: sums are made of `usage`. */
  shareUsd: number | null;
}

/** The answer to "what happened to this key?"; the document of `explain --json`. */
export interface Explanation {
  workflowId: string;
  namespace: string;
  agent: string;
  tenant: string;
  key: string;
  status: ListedStatus;
  /** Start of the run's first execution that is known, end of its last. */
  startedAt: string;
  closedAt: string | null;
  result: JsonValue | null;
  error: RunError | null;
  /** Until when the key names this run; `null` while it runs, or where that is not known. */
  keyExpiresAt: string | null;
  /** For how long after its end the key names the run; `null`: each caller says, or not known. */
  keyTtlMs: number | null;
  /** `null`: Temporal no longer has it. */
  request: SentRequest | null;
  /** Oldest first; the last one is the current. */
  executions: ExplainedExecution[];
  scope: string;
  /** `null`: the ledger could not be read, `ledgerError` says why. */
  steps: ExplainedStep[] | null;
  ledgerError: StepError | null;
  /** What people were asked, oldest first; `null` without the ledger. */
  questions: ExplainedQuestion[] | null;
  /** What the run asks now, which is known without the ledger. */
  waiting: OpenQuestion[];
  /** How many more questions it has, as `RunView` says it. */
  waitingMore?: number;
  /** Sums of the steps; `null` without the ledger. */
  usage: StepsUsage | null;
  /** What may have been paid besides; `null` without the ledger. */
  possiblyPaid: PossiblyPaid | null;
  /** Runs that had the key before, oldest first; `null` without the ledger. */
  earlierRuns: EarlierRun[] | null;
  /** What the run itself says that it used, where it says so. */
  reportedUsage: Usage | null;
  /** Whether the agent was defined otherwise when a resume started; `null` where not known. */
  definitionChanged: boolean | null;
  live: LiveRun | null;
  /** What a reader should know besides: whole sentences. */
  notes: string[];
  ui: string;
}

/** Without where the servers are, which is not everybody's to know. */
export type PublicExplanation = Omit<Explanation, 'namespace' | 'ui'>;
