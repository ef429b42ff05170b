import { APIError } from 'openai';
import { readError } from './error-body.ts';

/** Of an error's text: what it is about stands at its beginning. */
const READ = 2_000;
/** Words for a part that the endpoint cannot open, or does not know as its own. */
const FOREIGN_PART =
  /encrypted content .*could not be verified|item (?:with id )?'?rs_\S* not found|thought[ _]signature/i;

/**
 * What a refused request must leave out: parts that were given back, which another organisation's
 * key or a changed one cannot open; or the question for encrypted thoughts, which models without
 * thoughts refuse. Neither refusal costs anything.
 */
export function refusedPart(error: unknown): 'given' | 'asked' | undefined {
  if (!(error instanceof APIError) || (error.status !== 400 && error.status !== 404)) return;
  const { code, message } = readError(error.error);
  const said = message.slice(0, READ);
  if (code === 'invalid_encrypted_content' || FOREIGN_PART.test(said)) return 'given';
  return /encrypted content is not supported/i.test(said) ? 'asked' : undefined;
}
