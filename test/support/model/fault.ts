import { z } from 'zod';

const ANSWERS = [
  /** Asks for a tool that was not offered. */
  'unknown-tool',
  /** Asks for an offered tool with arguments that fit no schema. */
  'wrong-arguments',
  /** Asks for an offered tool with arguments that are not JSON. */
  'malformed-arguments',
  /** Asks for every call of the answer twice. */
  'several-calls',
  /** Stops in the middle, `finish_reason: length`. */
  'truncated',
  /** No content, `finish_reason: content_filter`. */
  'content-filter',
  /** `message.refusal` in the place of content. */
  'refusal',
] as const;

const TRANSPORT = [
  /** Never answers. */
  'hang',
  /** Sends the headers and half of the body, then never goes on. */
  'hang-in-body',
  /** Breaks the connection before anything was sent. */
  'drop',
  /** Breaks the connection half-way through the body. */
  'break',
  /** 200 with JSON that ends early. */
  'malformed-json',
  /** 200 with an HTML page, as a proxy's error page. */
  'html',
  /** 200 with `{}`. */
  'empty-object',
  /** 429 of an account without credit: waiting does not help. */
  'insufficient-quota',
  /** The right JSON, sent as `text/plain`. */
  'text-plain',
  /** Server-sent events, which nobody asked for. */
  'event-stream',
  /** Azure's 400 `content_filter`: it does not like what it was asked. */
  'prompt-filtered',
  /** 409: this `Idempotency-Key` came with another body before. */
  'key-conflict',
] as const;

const common = {
  /** How often it is played; from a script: per step, the part of `Idempotency-Key` before a `~`. */
  times: z.union([z.number().int().positive(), z.literal('always')]).optional(),
};

const error = {
  code: z.number().int().default(502),
  message: z.string().default('Provider returned error'),
};

/** What goes wrong. */
export const fault = z.union([
  z.strictObject({ kind: z.enum(ANSWERS), ...common }),
  z.strictObject({ kind: z.enum(TRANSPORT), ...common }),
  z.strictObject({
    /** OpenRouter's 200 whose body is `{"error":{"code":…,"message":…}}`. */
    kind: z.literal('error-in-body'),
    ...error,
    ...common,
  }),
  z.strictObject({
    /** OpenRouter's 200 whose only choice has an `error` and `finish_reason: "error"`. */
    kind: z.literal('error-in-choice'),
    ...error,
    ...common,
  }),
  z.strictObject({
    /** Groq's 400: the model wrote a call that nobody could read. */
    kind: z.literal('tool-use-failed'),
    failedGeneration: z.string().default('<function=unreadable>'),
    ...common,
  }),
  z.strictObject({
    kind: z.literal('rate-limit'),
    /** The form of `Retry-After`: `retry-after-ms`, seconds, an HTTP date, or none. */
    retryAfter: z.enum(['ms', 'seconds', 'date', 'none']).default('seconds'),
    waitMs: z.number().int().nonnegative().default(1000),
    /** Such as `Please retry in 10h17m20s`. */
    message: z.string().default('Rate limit reached.'),
    ...common,
  }),
  z.strictObject({
    kind: z.literal('status'),
    status: z.number().int().min(200).max(599),
    /** Such as `{"x-should-retry": "false"}`. */
    headers: z.record(z.string(), z.string()).default({}),
    /** Text is sent as it is, anything else as JSON; default: an error in the endpoint's form. */
    body: z.json().optional(),
    ...common,
  }),
]);

export type Fault = z.output<typeof fault>;
export type AnswerFault = Extract<Fault, { kind: (typeof ANSWERS)[number] | 'error-in-choice' }>;
export type TransportFault = Exclude<Fault, AnswerFault>;

export function isAnswerFault(fault: Fault): fault is AnswerFault {
  return fault.kind === 'error-in-choice' || (ANSWERS as readonly string[]).includes(fault.kind);
}

export function timesOf(fault: Fault): number {
  return fault.times === 'always' ? Infinity : (fault.times ?? 1);
}
