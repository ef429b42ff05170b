import { z } from 'zod';
import type { ChatRequest } from './wire.ts';

const call = z.strictObject({
  name: z.string(),
  /** An object, or text that is sent as it is, valid or not. */
  arguments: z.union([z.string(), z.record(z.string(), z.json())]).default({}),
  /** `object`: arguments go out as a JSON object, where every client expects text. */
  argumentsAs: z.enum(['text', 'object']).optional(),
  /** Sent in the place of the ID that the endpoint would make. */
  id: z.string().optional(),
});

/** One answer of the scripted model; all of it can be said in JSON. */
export const scriptReply = z.strictObject({
  /** Tools to ask for. */
  calls: z.array(call).optional(),
  /** `same`: every call of every turn has the same ID. `empty`: the ID is an empty text. */
  ids: z.enum(['same', 'empty']).optional(),
  /** Chat only: the first call goes out as `function_call`, in the place of `tool_calls`. */
  legacyCall: z.boolean().optional(),
  /** Text, or a list of parts. Left out: `content` is null, no message item in Responses. */
  say: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).optional(),
  /** Responses only: a message with `phase: "commentary"` before everything else that is said. */
  commentary: z.string().optional(),
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
