import { ModelError, type Answered } from '../port.ts';

/** An answer that this code cannot read is asked for once more: the next one looks the same. */
const MISREAD_ROUNDS = 2;

/**
 * An answer of status 200 that is none of the API's.
 *
 * @param answered absent: it does not come from the model
 */
export function misread(what: string, answered?: Answered): ModelError {
  return new ModelError(
    'model.bad_answer',
    `The model endpoint answered 200 with ${what}. If that stays so, check OPENAI_BASE_URL, which ends in /v1 as a rule, and OPENAI_API.`,
    { retryable: true, ...(answered ? { rounds: MISREAD_ROUNDS } : {}) },
    answered,
  );
}

/** An event stream that ended before it said that it is complete. */
export function cutOff(): ModelError {
  return new ModelError(
    'model.broken_off',
    'The model endpoint ended its event stream in the middle of the answer.',
    { retryable: true },
  );
}
