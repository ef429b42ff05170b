import { z } from 'zod';
import { assertJson, type JsonObject } from '../contract/json.ts';
import { isEffort } from '../contract/settings.ts';

/** Members of a request that are the engine's: without them an answer would not be ours to read. */
const RESERVED =
  /^(?:model|messages|input|instructions|prompt|tools|tool_choice|functions|function_call|stream|stream_options|n|store|include|background|previous_response_id|conversation)$/;

const WORD = "must be a word such as 'none', 'low' or 'high'";
const COUNT = 'must be a whole number from 1';
const TEMPERATURE = 'must be a number from 0 to 2';

/** What an agent and an endpoint may say of how a model is asked, and what not. */
export const MODEL_OPTIONS = {
  reasoningEffort: z.string(WORD).refine(isEffort, WORD).optional(),
  parallelToolCalls: z.boolean('must be true or false').optional(),
  maxOutputTokens: z.int(COUNT).min(1, COUNT).optional(),
  temperature: z.number(TEMPERATURE).min(0, TEMPERATURE).max(2, TEMPERATURE).optional(),
  extraBody: z
    .custom<JsonObject>(isJsonObject, {
      error: 'must be an object that JSON can hold',
      abort: true,
    })
    .superRefine((body, context) => {
      const reserved = Object.keys(body).filter((name) => RESERVED.test(name));
      if (reserved.length > 0) context.addIssue(`cannot set ${reserved.join(', ')}`);
    })
    .optional(),
};

function isJsonObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  try {
    assertJson(value);
    return true;
  } catch {
    return false;
  }
}
