import { z } from 'zod';
import { fault } from './fault.ts';
import type { ChatRequest } from './wire.ts';

/** One answer of the scripted model; all of it can be said in JSON. */
export const scriptReply = z.strictObject({
  /** Tools to ask for. Arguments are an object, or text that is sent as it is, valid or not. */
  calls: z
    .array(
      z.strictObject({
        name: z.string(),
        arguments: z.union([z.string(), z.record(z.string(), z.json())]).default({}),
      }),
    )
    .optional(),
  say: z.string().optional(),
  /** Default: `tool_calls` with calls, else `stop`. */
  finish: z.enum(['stop', 'length', 'tool_calls', 'content_filter']).optional(),
  /** Waits before it answers. */
  delayMs: z.number().int().nonnegative().optional(),
  /** Goes wrong first: `times` times per `Idempotency-Key` (default 1), then answers. */
  fault: fault.optional(),
  /** Tokens to report; default: a quarter of the characters. `null`: no usage at all. */
  usage: z
    .strictObject({
      inputTokens: z.number().int().nonnegative(),
      outputTokens: z.number().int().nonnegative(),
    })
    .nullish(),
});

export type ScriptReply = z.input<typeof scriptReply>;
export type ParsedReply = z.output<typeof scriptReply> & { refusal?: string };

/**
 * A part that the scripted model can play. It must answer from the request alone: the same
 * request, be it a retry or a replay, gets the same answer.
 */
export interface Script {
  name: string;
  matches(request: ChatRequest): boolean;
  reply(request: ChatRequest): ScriptReply;
}
