import { z } from 'zod';
import type { ChatRequest } from './wire.ts';

export const scriptCall = z.strictObject({
  name: z.string(),
  /** An object, or text that is sent as it is, valid or not. */
  arguments: z.union([z.string(), z.record(z.string(), z.json())]).default({}),
});

/** One answer of the scripted model; all of it can be said in JSON. */
export const scriptReply = z.strictObject({
  /** Tools to ask for. */
  calls: z.array(scriptCall).optional(),
  /** Left out: `content` is null, no message item in Responses. */
  say: z.string().optional(),
  /** Declines in these words: `message.refusal`, or a part of type `refusal`. */
  refusal: z.string().optional(),
  /** The thoughts that come with the answer, where the endpoint sends any. Default: made up. */
  reasoning: z.string().optional(),
  /**
   * Any text, or null. Default: `tool_calls` with calls, else `stop`. In Responses: `length` and
   * `content_filter` are reasons of `incomplete`; `error` is `failed`; `failed`, `cancelled`,
   * `queued` and `in_progress` are the status; any other text is a reason of `incomplete`.
   */
  finish: z.string().nullish(),
  /** Waits before it answers. */
  delayMs: z.number().int().nonnegative().optional(),
  /** Tokens to report; default: a quarter of the characters. `null`: no usage at all. */
  usage: z
    .strictObject({
      inputTokens: z.number().int().nonnegative(),
      outputTokens: z.number().int().nonnegative(),
      cachedInputTokens: z.number().int().nonnegative().optional(),
      reasoningTokens: z.number().int().nonnegative().optional(),
    })
    .nullish(),
});

export type ScriptReply = z.input<typeof scriptReply>;
export type ParsedReply = z.output<typeof scriptReply>;

/**
 * A part that the scripted model can play. It must answer from the request alone: the same
 * request, be it a retry or a replay, gets the same answer. A request of the Responses API comes
 * in the shape of a chat request.
 */
export interface Script {
  name: string;
  matches(request: ChatRequest): boolean;
  reply(request: ChatRequest): ScriptReply;
}
