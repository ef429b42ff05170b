import { ModelError, type Answered } from '../port.ts';
import type { Scrub } from './scrub.ts';

/** Of chat completions, and what some servers leave in its place. */
const WHOLE = /^(?:stop|tool_calls|function_call|eos|eos_token|end_turn|stop_sequence|tool_use)?$/i;
/** The context was full, or the limit of the answer reached. */
const TOO_LONG = /^(?:length|model_length|max_tokens|max_output_tokens)$/i;
/** Google says behind a colon which filter it was. */
const FILTERED =
  /^(?:content_filter|safety|recitation|prohibited_content|blocklist|spii|sensitive|refusal)\b/i;
const MALFORMED_CALL = /malformed_function_call|unexpected_tool_call/i;
/** Trouble of the endpoint's own, which passes. */
const TROUBLE = /^(?:error|insufficient_system_resource)$/i;

/**
 * Reads why an answer ended. A reason that is not known here counts as the end of half an answer.
 *
 * @param finish in the endpoint's words; `null`: it did not say, as some servers never do
 * @returns what is wrong; `undefined`: it is whole
 */
export function judgeFinish(
  finish: string | null,
  answered: Answered,
  scrub: Scrub,
): ModelError | undefined {
  const reason = finish?.trim() ?? '';
  if (WHOLE.test(reason)) return undefined;
  if (TOO_LONG.test(reason)) {
    return new ModelError(
      'model.truncated',
      "The model stopped at its limit, in the middle of its answer; the tokens were paid. Raise the agent's maxOutputTokens, ask for less, or choose a model with a larger context.",
      { retryable: false },
      answered,
    );
  }
  if (FILTERED.test(reason)) {
    return new ModelError(
      'model.refused',
      scrub(`A content filter of the endpoint stopped the answer (${reason}).`),
      { retryable: false },
      answered,
    );
  }
  if (MALFORMED_CALL.test(reason)) {
    return new ModelError(
      'model.bad_answer',
      'The model wrote a tool call that its endpoint could not read.',
      { retryable: true, rounds: 3 },
      answered,
    );
  }
  return new ModelError(
    'model.incomplete',
    scrub(`The model endpoint ended the answer before it was complete (${reason}).`),
    { retryable: true, rounds: TROUBLE.test(reason) ? 3 : 2 },
    answered,
  );
}
