import type { Decision, OpenQuestion } from '../contract/decision.ts';
import { LIMITS } from '../contract/limits.ts';
import { cutToBytes } from '../contract/text-bytes.ts';

/** What a step is scheduled for, after a person or a deadline has had a say. */
const AFTER: Record<Decision, string> = {
  approve: 'approved',
  deny: 'denied, not made',
  happened: 'it happened',
  'did-not-happen': 'it did not happen, runs again',
  fail: 'ends the run',
};

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
  const how = decision ? AFTER[decision] : asks ? 'runs only if approved' : undefined;
  return fit(`turn ${turn} · ${how === undefined ? '' : `${how}: `}${summary}`);
}

/** The name of the timer that ends with a question's deadline. */
export function waitLine({ step, kind, summary }: OpenQuestion): string {
  const what =
    kind === 'approval'
      ? 'waits for approval, has not run'
      : 'waits for a person to say whether it happened';
  return fit(`${step} ${what}: ${summary}`);
}

function fit(line: string): string {
  return cutToBytes(line, LIMITS.summaryBytes, '…');
}
