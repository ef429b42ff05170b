import { THE_DEADLINE, type Decision } from '../../contract/decision.ts';
import type { ExplainedQuestion } from './explanation.ts';
import { printable } from '../../cli/output.ts';
import { drawClock, drawTime } from '../../cli/show-run.ts';

/** What a person said. */
const SAID: Record<Decision, string> = {
  approve: 'it may run',
  deny: 'it may not run',
  happened: 'it happened',
  'did-not-happen': 'it did not happen',
  fail: 'the run is to fail',
};

/** What the deadline makes of it. */
const ASSUMES: Record<Decision, string> = {
  approve: 'it counts as approved',
  deny: 'it counts as denied',
  happened: 'it counts as done',
  'did-not-happen': 'it counts as not done',
  fail: 'the run fails',
};

/** What it made of it. */
const ASSUMED: Record<Decision, string> = {
  approve: 'it counted as approved',
  deny: 'it counted as denied',
  happened: 'it counted as done',
  'did-not-happen': 'it counted as not done',
  fail: 'the run failed',
};

/** What people were asked about a step and what they said, a line a question. */
export function drawAnswers(id: string, questions: readonly ExplainedQuestion[] | null): string[] {
  return (questions ?? []).filter(({ step }) => step === id).map(drawAnswer);
}

function drawAnswer(question: ExplainedQuestion): string {
  const { kind, askedAt, decision, by, comment, decidedAt, waits, deadline, otherwise } = question;
  const what = kind === 'approval' ? 'whether it may run' : 'whether it happened';
  const asked = `asked at ${drawClock(askedAt)} ${what}`;
  if (waits && deadline !== null && otherwise !== null) {
    return `${asked}: no answer yet; without one, at ${drawTime(deadline)} ${ASSUMES[otherwise]}`;
  }
  if (decision === null) return `${asked}: nobody answered`;
  const at = decidedAt === null ? '' : ` at ${drawClock(decidedAt)}`;
  if (by === THE_DEADLINE) return `${asked}: nobody had answered${at}, so ${ASSUMED[decision]}`;
  const why = comment === null || comment === '' ? '' : ` (${printable(comment)})`;
  return `${asked}; answered${at} by ${printable(by ?? 'somebody')}: ${SAID[decision]}${why}`;
}
