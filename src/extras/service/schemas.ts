import { z } from 'zod';
import { ANSWERS, type Decision, type OpenQuestion } from '../../contract/decision.ts';
import { ERRORS, type ErrorCode } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import {
  LISTED_STATUSES,
  RUN_STATUSES,
  type ResumeLimits,
  type RunError,
  type RunOptions,
  type Usage,
} from '../../contract/run.ts';
import { EFFORT, LAST_PRIORITY } from '../../contract/settings.ts';
import { EFFECTS, type ShadowEffect } from '../../contract/step.ts';
import { schemaOf } from './schema-of.ts';

/** JSON of any shape: it was checked when the body was parsed. */
export const json = z
  .custom<JsonValue>((value) => value !== undefined)
  .meta({ description: 'Any JSON' });

const time = z.iso.datetime().meta({ description: 'ISO 8601, UTC' });

/**
 * Neither a ledger's texts nor Temporal's have null characters; of lone surrogates a body has none,
 * or it is not read.
 */
// eslint-disable-next-line no-control-regex
const NO_NULL = /^[^\u0000]*$/;
const HAS_NULL = 'has a null character, which no ledger can hold';

export const runId = z
  .string()
  .min(1)
  .max(255)
  .regex(NO_NULL, HAS_NULL)
  .meta({ description: 'ID of a run: its Temporal workflow ID' });
export const agentName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,31}$/)
  .meta({ description: 'Name of an agent' });
export const stepName = z
  .string()
  .regex(/^t[1-9]\d{0,8}\.c\d{1,4}$/)
  .meta({ description: 'A tool call: t2.c0 is call 0 of turn 2' });

export const keyHeader = z.string().optional().meta({
  description:
    'One key of 1 to 255 printable ASCII characters, in double quotes; a UUID v4 is a good one. Required, unless the agent has a dedup window.',
});

export const prefer = z.string().optional().meta({
  description: 'RFC 7240: wait=10, until the run has ended or waits for a person; respond-async',
});

const limits = z.strictObject({
  maxTurns: z.int().min(1).max(1_000_000).optional(),
  priority: z
    .int()
    .min(1)
    .max(LAST_PRIORITY)
    .optional()
    .meta({ description: 'From 1, whose steps go first where work waits for workers' }),
});
const modelName = z.string().min(1).max(200).regex(NO_NULL, HAS_NULL);

export const startBody = z.strictObject({
  input: json.optional().meta({ description: 'What the agent is to do; a string or other JSON' }),
  options: z
    .strictObject({
      model: modelName.optional(),
      shadow: z
        .literal(true)
        .optional()
        .meta({ description: 'Ask models and read, and only record every other effect' }),
    })
    .optional()
    .meta({ description: 'Part of the request: another value is another request' }),
  limits: limits
    .optional()
    .meta({ description: 'No part of the request: may differ between two that are the same' }),
});

export const resumeBody = z
  .strictObject({
    limits: limits
      .extend({
        model: modelName.optional(),
        reasoningEffort: z
          .string()
          .regex(EFFORT)
          .optional()
          .meta({ description: 'How long the model thinks: none, low, high …' }),
        maxOutputTokens: z.int().min(1).optional(),
      })
      .optional()
      .meta({
        description:
          'From the first step that is not recorded on; what is not named stays as it was',
      }),
  })
  .nullish();
export const emptyBody = z.strictObject({}).nullish();

/**
 * From here to `run`: what a workflow wrote. One of another version may have written more, which is
 * left out and not refused.
 */
export const usage = schemaOf<Usage>()(
  z.object({
    turns: z.int(),
    modelCalls: z.int(),
    toolCalls: z.int(),
    inputTokens: z.int(),
    outputTokens: z.int(),
    costUsd: z.number().nullable().meta({ description: 'null: the price of a call is not known' }),
    cachedInputTokens: z.int().exactOptional(),
    reasoningTokens: z.int().exactOptional(),
  }),
);

export const runOptions = schemaOf<RunOptions>()(
  z.object({ model: z.string().exactOptional(), shadow: z.literal(true).exactOptional() }),
);

export const runLimits = schemaOf<ResumeLimits>()(
  z.object({
    maxTurns: z.int().exactOptional(),
    priority: z.int().exactOptional(),
    model: z.string().exactOptional(),
    reasoningEffort: z.string().exactOptional(),
    maxOutputTokens: z.int().exactOptional(),
  }),
);

export const runError = schemaOf<RunError>()(
  z.object({ code: z.enum(Object.keys(ERRORS) as ErrorCode[]), message: z.string() }),
);

export const decision = schemaOf<Decision>()(z.enum([...ANSWERS.approval, ...ANSWERS.outcome]));
export const questionKind = z.enum(['approval', 'outcome']);

export const question = schemaOf<OpenQuestion>()(
  z.object({
    step: z.string(),
    kind: questionKind,
    round: z.int(),
    tool: z.string(),
    summary: z.string(),
    askedAt: time,
    deadline: time,
    otherwise: decision,
    worker: z.string().nullable(),
    claimedAt: z.string().nullable(),
    error: z.string().nullable(),
    editable: z.literal(true).exactOptional().meta({
      description: 'Of an approval: `arguments` of the decision may be others',
    }),
  }),
);

const shadowEffect = schemaOf<ShadowEffect>()(
  z.object({
    step: z.string(),
    tool: z.string(),
    effect: z.enum(EFFECTS),
    summary: z.string(),
    arguments: z.string().exactOptional(),
    token: z.string(),
    approval: z.boolean(),
  }),
);

export const run = z
  .strictObject({
    id: runId,
    runId: z.string().meta({ description: "Temporal's ID of the current execution" }),
    agent: z.string(),
    tenant: z.string(),
    key: z.string(),
    status: z.enum(RUN_STATUSES),
    result: json.nullable(),
    error: runError.nullable(),
    usage: usage.nullable().meta({ description: 'null: not known, as while no worker answers' }),
    waiting: z.array(question).meta({ description: 'What the run asks people' }),
    waitingMore: z.int().exactOptional().meta({
      description: 'How many more questions it has: there while no worker answers, who knows them',
    }),
    shadow: z
      .array(shadowEffect)
      .exactOptional()
      .meta({ description: 'Of a shadow run: what would have happened, once it has ended' }),
    startedAt: time,
    closedAt: time.nullable(),
  })
  .meta({ id: 'Run' });

export const runSummary = z
  .strictObject({
    id: runId,
    runId: z.string(),
    agent: z.string(),
    tenant: z.string(),
    key: z.string(),
    status: z.enum(LISTED_STATUSES),
    shadow: z.boolean().meta({ description: 'Effects are recorded and not executed' }),
    error: z
      .enum(Object.keys(ERRORS) as ErrorCode[])
      .nullable()
      .meta({ description: 'Why it failed or was cancelled' }),
    startedAt: time,
    closedAt: time.nullable().meta({ description: 'Of a forgotten run: when it was forgotten' }),
  })
  .meta({ id: 'RunSummary' });

export const decisionBody = z.strictObject({
  decision,
  round: z.int().min(1).optional().meta({ description: 'The question that is answered' }),
  result: json.optional().meta({ description: 'With happened: what the tool would have returned' }),
  arguments: z.record(z.string(), json).optional().meta({
    description:
      'With approve, where the question is `editable`: the whole arguments that the call is to run with, which fit the schema of its tool',
  }),
  by: z.string().min(1).max(200).regex(NO_NULL, HAS_NULL).meta({ description: 'Who decides' }),
  comment: z.string().max(2_000).regex(NO_NULL, HAS_NULL).optional(),
  runId: z.string().max(200).optional().meta({
    description:
      'The execution whose question is answered, as the run named it. Another one that has the key by now gets no answer: 409',
  }),
});

export const decisionResult = z
  .strictObject({
    outcome: z.enum(['recorded', 'repeated', 'settled']),
    decision: decision.nullable(),
    by: z.string().nullable(),
    decidedAt: z.string().nullable(),
    approved: z.string().optional().meta({
      description:
        'Where the arguments were changed: those that were approved, as JSON, cut to 2 KB',
    }),
    summary: z.string().optional().meta({
      description: 'With that: the call on one line, as it is and as it was asked for',
    }),
  })
  .meta({ id: 'DecisionResult' });

export const problem = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
  })
  .meta({ id: 'Problem', description: 'Problem details (RFC 9457)' });
