import type { DecisionInput } from './decision.ts';
import { AgentOnceError } from './errors.ts';
import { assertJson, utf8Bytes } from './json.ts';
import { isKeepable } from './keepable.ts';
import { LIMITS } from './limits.ts';

/** Longest texts of a decision, in UTF-16 units. */
const LONGEST_NAME = 200;
const LONGEST_COMMENT = 2_000;

/**
 * Checks that a ledger can keep a decision as it is: its texts are columns of PostgreSQL, which have
 * no null character, and no lone surrogate; the result is bytes of JSON, and may have the former.
 *
 * @throws {AgentOnceError} `decision.invalid`
 */
export function checkDecision(answer: DecisionInput): void {
  const { decision, by, comment, result, arguments: args } = answer;
  // Whoever sends the update on their own has no compiler that says what its members are.
  const texts: readonly unknown[] = comment === undefined ? [by] : [by, comment];
  if (!texts.every(isKeepable)) {
    throw invalid(
      'The name and the comment of a decision are text without null characters and lone surrogates.',
    );
  }
  if (by.trim() === '' || by.length > LONGEST_NAME || (comment?.length ?? 0) > LONGEST_COMMENT) {
    throw invalid(
      `A decision needs a name of at most ${LONGEST_NAME} characters, and a comment has at most ${LONGEST_COMMENT}.`,
    );
  }
  if (args !== undefined && decision !== 'approve') {
    throw invalid(
      `Arguments are what a call is approved with, so they go with "approve" alone, not with "${decision}".`,
    );
  }
  for (const [what, value] of Object.entries({ result, arguments: args })) {
    if (value === undefined) continue;
    try {
      assertJson(value);
    } catch (error) {
      throw invalid(`Its ${what} cannot be kept. ${(error as Error).message}`);
    }
  }
  if (args !== undefined && utf8Bytes(JSON.stringify(args)) > LIMITS.inputBytes) {
    throw invalid('The arguments are over 1 MiB of JSON.');
  }
}

function invalid(what: string): AgentOnceError {
  return new AgentOnceError('decision.invalid', `${what} Nothing was decided.`);
}
