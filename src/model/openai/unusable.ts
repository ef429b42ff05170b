import { ModelError, type Answered } from '../port.ts';

/** An answer that is misread is asked for once more: what is wrong with us stays wrong. */
const MISREAD_ROUNDS = 2;

/** An answer of status 200 that is not one. */
export function badAnswer(what: string, answered: Answered, rounds = MISREAD_ROUNDS): ModelError {
  return new ModelError(
    'model.bad_answer',
    `The model endpoint answered 200 with ${what}. If that stays so, check OPENAI_BASE_URL, which ends in /v1 as a rule, and OPENAI_API.`,
    { retryable: true, rounds },
    answered,
  );
}
