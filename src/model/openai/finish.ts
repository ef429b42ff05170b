import type { ErrorCode } from '../../contract/errors.ts';
import type { Retry } from '../port.ts';

/** Why an answer is none that a run can go on with. */
export interface Problem extends Retry {
  code: ErrorCode;
  message: string;
}

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
 * @returns `undefined`: the answer is whole
 */
export function problemOfFinish(finish: string | null): Problem | undefined {
  const reason = finish?.trim() ?? '';
  if (WHOLE.test(reason)) return undefined;
  if (TOO_LONG.test(reason)) {
    return {
      code: 'model.truncated',
      message:
        "The model stopped at its limit, in the middle of its answer; the tokens were paid. Raise the agent's maxOutputTokens, ask for less, or choose a model with a larger context.",
      retryable: false,
    };
  }
  if (FILTERED.test(reason)) {
    const message = `A content filter of the endpoint stopped the answer (${reason}).`;
    return { code: 'model.refused', message, retryable: false };
  }
  if (MALFORMED_CALL.test(reason)) {
    const message = 'The model wrote a tool call that its endpoint could not read.';
    return { code: 'model.bad_answer', message, retryable: true, rounds: 3 };
  }
  const message = `The model endpoint ended the answer before it was complete (${reason}).`;
  const rounds = TROUBLE.test(reason) ? 3 : 2;
  return { code: 'model.incomplete', message, retryable: true, rounds };
}
