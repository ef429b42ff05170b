import { z } from 'zod';
import type {
  CallNotRun,
  EditedArguments,
  EarlierRun,
  ExplainedExecution,
  ExplainedQuestion,
  ExplainedStep,
  PossiblyPaid,
  RepeatedStep,
  SentRequest,
  Sharing,
  StepsUsage,
  StopRequest,
} from '../explain/explanation.ts';
import type { LiveRun, PendingActivity } from '../explain/read-live.ts';
import { RUN_STATUSES } from '../../contract/run.ts';
import { EFFECTS, type StepUsage } from '../../contract/step.ts';
import type { StepError } from '../../ledger/port.ts';
import { nextAction } from './next-action-schema.ts';
import type { ShownExplanation } from './operators-only.ts';
import { schemaOf } from './schema-of.ts';
import {
  decision,
  json,
  question,
  questionKind,
  runError,
  runLimits,
  runOptions,
  usage,
} from './schemas.ts';

/**
 * The document of `explain --json` as HTTP describes it. `src/extras/explain/explanation.ts` says what each
 * member means, `docs/operations.md` tells it; a member that stands in one place alone is an error.
 */
const time = z.iso.datetime().nullable();
const count = z.int().min(0);
/** Names of machines, processes and places. */
const operatorOnly = z
  .string()
  .nullable()
  .meta({ description: 'null without the scope `admin`, or where it is not known' });

const executionStatus = z.enum([
  'running',
  'completed',
  'failed',
  'cancelled',
  'terminated',
  'timed_out',
  'continued',
  'forgotten',
  'gone',
]);
const happened = z.enum(['yes', 'no', 'maybe']);

const stepError = schemaOf<StepError>()(
  z.object({
    code: z.string(),
    message: z.string(),
    mayBePaid: z
      .literal(true)
      .exactOptional()
      .meta({ description: 'Of a model call without an answer: it may have been paid for' }),
  }),
);

const stopRequest = schemaOf<StopRequest>()(
  z.strictObject({
    how: z.enum(['cancel', 'terminate']),
    at: time,
    by: operatorOnly,
    reason: z.string().nullable(),
  }),
);

const execution = schemaOf<ExplainedExecution>()(
  z.strictObject({
    runId: z.string(),
    intent: z.enum(['new', 'resume', 'continued', 'reset', 'forgotten']).nullable(),
    status: executionStatus,
    startedAt: time,
    closedAt: time,
    predecessor: z.string().nullable(),
    scope: z.string().nullable(),
    error: runError.nullable(),
    startedBy: operatorOnly,
    stopped: stopRequest.nullable(),
    resumedWith: runLimits.exactOptional(),
  }),
);

const callNotRun = schemaOf<CallNotRun>()(
  z.strictObject({
    tool: z.string(),
    sameAs: z.string().nullable(),
    reason: z.string().nullable(),
  }),
);

const repeatedStep = schemaOf<RepeatedStep>()(
  z.strictObject({
    id: z.string(),
    token: z.string(),
    happened,
    executedIn: z.string().nullable(),
  }),
);

const sharing = schemaOf<Sharing>()(
  z.strictObject({
    with: z.string(),
    steps: count.nullable(),
    costUsd: z.number().nullable(),
    shareUsd: z.number().nullable(),
  }),
);

const stepUsage = schemaOf<StepUsage>()(
  z.strictObject({
    inputTokens: z.int(),
    outputTokens: z.int(),
    costUsd: z.number().nullable(),
    cachedInputTokens: z.int().exactOptional(),
    reasoningTokens: z.int().exactOptional(),
  }),
);

const editedArguments = schemaOf<EditedArguments>()(
  z
    .strictObject({ asked: json.nullable(), approved: json.nullable(), by: z.string().nullable() })
    .meta({
      description: 'A person changed the arguments: what the model asked for, what they approved',
    }),
);

export const step = schemaOf<ExplainedStep>()(
  z
    .strictObject({
      id: z.string(),
      turn: count,
      kind: z.enum(['model', 'tool']),
      model: z.string().nullable(),
      answeredBy: z.string().exactOptional().meta({
        description: "Another of the run's models that answered; absent: its own, or none",
      }),
      tool: z.string().nullable(),
      summary: z.string().nullable(),
      token: z.string(),
      effect: z.enum(EFFECTS).nullable(),
      happened: happened.nullable(),
      notRun: z.array(callNotRun),
      repeats: z.array(repeatedStep),
      state: z.enum(['planned', 'claimed', 'completed', 'failed', 'unknown']),
      attempts: count,
      lastAttempts: count,
      unknownAttempts: count,
      errors: z.array(stepError),
      knownBy: z.enum(['executed', 'ledger', 'find', 'person', 'shadow']).nullable(),
      decidedBy: z.string().nullable(),
      decision: decision.nullable(),
      executedIn: z.string().nullable(),
      unusableAnswers: count,
      possiblyPaidTwice: z.boolean(),
      worker: operatorOnly,
      leaseLeftMs: z.number().nullable(),
      isPending: z.literal(true).exactOptional(),
      claimedAt: time,
      endedAt: time,
      durationMs: z.number().nullable(),
      usage: stepUsage.nullable(),
      sharing: sharing.exactOptional(),
      edited: editedArguments.exactOptional(),
    })
    .meta({ id: 'Step', description: 'One model call or tool call' }),
);

const stepsUsage = schemaOf<StepsUsage>()(usage.extend({ deniedCalls: count }));

const earlierRun = schemaOf<EarlierRun>()(
  z.strictObject({
    scope: z.string(),
    executions: z.array(z.string()),
    status: executionStatus,
    steps: z.array(step),
    usage: stepsUsage,
  }),
);

const explainedQuestion = schemaOf<ExplainedQuestion>()(
  z.strictObject({
    step: z.string(),
    kind: questionKind,
    round: count,
    askedAt: z.iso.datetime(),
    waits: z.boolean(),
    deadline: time,
    otherwise: decision.nullable(),
    decision: decision.nullable(),
    by: z.string().nullable(),
    comment: z.string().nullable(),
    decidedAt: time,
    edited: z
      .literal(true)
      .exactOptional()
      .meta({ description: 'Approved with other arguments, which the step has' }),
  }),
);

const possiblyPaid = schemaOf<PossiblyPaid>()(
  z.strictObject({
    calls: count,
    steps: z.array(z.string()),
    costUsd: z.number().nullable(),
  }),
);

const request = schemaOf<SentRequest>()(
  z.strictObject({ input: json.exactOptional(), options: runOptions }),
);

const pendingActivity = schemaOf<PendingActivity>()(
  z.strictObject({
    activity: z.string(),
    state: z.enum(['scheduled', 'started', 'cancelling', 'paused']),
    attempt: count,
    nextAttemptAt: time,
    lastError: stepError.nullable(),
    startedAt: time,
    worker: operatorOnly,
    lastHeartbeatAt: time,
    heartbeatTimeoutMs: z.number().nullable(),
  }),
);

const live = schemaOf<LiveRun>()(
  z.strictObject({
    hasWorker: z.boolean(),
    cancelRequested: z.boolean(),
    turn: count.nullable(),
    maxTurns: count.nullable(),
    pending: z.array(pendingActivity),
    workflowTaskAttempt: count.nullable(),
  }),
);

export const explanation = schemaOf<ShownExplanation>()(
  z
    .strictObject({
      workflowId: z.string(),
      namespace: operatorOnly,
      agent: z.string(),
      tenant: z.string(),
      key: z.string(),
      status: z.enum([...RUN_STATUSES, 'forgotten']),
      startedAt: z.iso.datetime(),
      closedAt: time,
      result: json.nullable(),
      error: runError.nullable(),
      keyExpiresAt: time,
      keyTtlMs: z.number().nullable(),
      request: request.nullable(),
      executions: z.array(execution),
      scope: z.string(),
      steps: z.array(step).nullable(),
      ledgerError: stepError.nullable(),
      questions: z.array(explainedQuestion).nullable(),
      waiting: z.array(question),
      waitingMore: count.exactOptional(),
      usage: stepsUsage.nullable(),
      possiblyPaid: possiblyPaid.nullable(),
      earlierRuns: z.array(earlierRun).nullable(),
      reportedUsage: usage.nullable(),
      definitionChanged: z.boolean().nullable(),
      live: live.nullable(),
      notes: z.array(z.string()),
      ui: operatorOnly,
      next: z.array(nextAction),
    })
    .meta({ id: 'Explanation' }),
);
