import type { Decision, OpenQuestion } from '../contract/decision.ts';
import { DECISION_WORDS, QUESTION_WORDS } from '../contract/decision-words.ts';
import { LIMITS } from '../contract/limits.ts';
import { cutToBytes } from '../contract/text-bytes.ts';

/**
 * The name of a call's activity in Temporal UI, where an activity that only asks a person looks as
 * completed as one that ran. So it says which of the two it is.
 *
 * @param asks whether the call runs only when a person has approved it
 * @param decision what was answered; absent: nobody was asked yet, or it is not known
 */
export function callLine(
  turn: number,
  summary: string,
  asks: boolean,
  decision: Decision | undefined,
): string {
  const how = decision
    ? DECISION_WORDS[decision].activity
    : asks
      ? 'runs only if approved'
      : undefined;
  return fit(`turn ${turn} · ${how === undefined ? '' : `${how}: `}${summary}`);
}

/** The name of the timer that ends with a question's deadline. */
export function waitLine({ step, kind, summary }: OpenQuestion): string {
  return fit(`${step} ${QUESTION_WORDS[kind].timer}: ${summary}`);
}

function fit(line: string): string {
  return cutToBytes(line, LIMITS.summaryBytes, '…');
}
