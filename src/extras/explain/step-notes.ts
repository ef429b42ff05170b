import { THE_DEADLINE } from '../../contract/decision.ts';
import type { Effect } from '../../contract/step.ts';
import type { ExplainedQuestion, ExplainedStep } from './explanation.ts';
import { costOfOne } from './possibly-paid.ts';
import { labelOf } from '../../cli/show-run.ts';

/** What stays open when an attempt of a tool ends without a word, by the tool's effect. */
const AFTER_SILENCE: Record<Exclude<Effect, 'at-most-once'>, string> = {
  read: 'it reads only, so it was run again',
  keyed: 'it was sent again with the same token, and the other side counts one token once',
  transactional: 'nothing of it was committed, and it was done again',
  reconcile: 'the other side is asked what became of it',
};

/** What is in doubt about the steps of a run: whole sentences. */
export function notesOnSteps(
  all: readonly ExplainedStep[],
  questions: readonly ExplainedQuestion[],
): string[] {
  return [
    ...all.filter(({ possiblyPaidTwice }) => possiblyPaidTwice).map(paidNote),
    ...all.flatMap(silenceNote),
    ...all.flatMap(lapsedNote),
    ...all.flatMap((step) => assumedNote(step, questions)),
    ...all.flatMap(lateNote),
    ...all.flatMap(repeatNote),
  ];
}

function paidNote(step: ExplainedStep): string {
  const { id, unknownAttempts, state } = step;
  const cost = costOfOne(step);
  const price = cost === null ? '' : `, about $${cost}${unknownAttempts === 1 ? '' : ' each time'}`;
  const then = state === 'completed' ? '; a later one succeeded' : '';
  return `The model call ${id} may have been paid ${times(unknownAttempts)} more than is counted here${price}. ${attempts(unknownAttempts)} of it ended without a word, as when a worker dies${then}. No tool call was affected by that.`;
}

function silenceNote(step: ExplainedStep): string[] {
  const { effect, unknownAttempts, happened, errors, attempts: all } = step;
  if (effect === null || unknownAttempts === 0) return [];
  if (effect === 'at-most-once') {
    // Somebody has said it.
    if (happened === 'yes' || happened === 'no') return [];
    const how =
      errors.length >= all
        ? 'in an error that does not say whether it happened: only a person can'
        : 'without a recorded outcome: only a person can say whether it happened';
    return [`${attempts(unknownAttempts)} of ${labelOf(step)} ended ${how}.`];
  }
  return [
    `${attempts(unknownAttempts)} of ${labelOf(step)} ended without a word, as when a worker dies: ${AFTER_SILENCE[effect]}.`,
  ];
}

/** Nobody knew, and the tool's author had chosen to go on. */
function assumedNote(step: ExplainedStep, questions: readonly ExplainedQuestion[]): string[] {
  return questions.flatMap(({ step: id, by, decision }) => {
    if (id !== step.id || by !== THE_DEADLINE) return [];
    if (decision === 'did-not-happen') {
      return [
        `Nobody had said in time whether ${labelOf(step)} happened, so it counted as not done: if it was done after all, and again, that is twice. Look it up by its token, ${step.token}.`,
      ];
    }
    if (decision !== 'happened') return [];
    return [
      `Nobody had said in time whether ${labelOf(step)} happened, so it counts as done. Look it up by its token, ${step.token}.`,
    ];
  });
}

/** An attempt that had been given up did something after all. */
function lateNote(step: ExplainedStep): string[] {
  if (!step.errors.some(({ code }) => code === 'step.late_effect')) return [];
  return [
    `An attempt of ${labelOf(step)} that had been given up ended after all: its effect may have happened twice. Look it up by its token, ${step.token}.`,
  ];
}

function repeatNote(step: ExplainedStep): string[] {
  if (step.repeats.length === 0) return [];
  const tokens = step.repeats.map(({ token }) => token).join(', ');
  const sure = step.happened === 'yes' && step.repeats.every(({ happened }) => happened === 'yes');
  return [
    `${labelOf(step)} ${sure ? 'was made' : 'may have been made'} ${times(step.repeats.length + 1)} under this key, each time with another token. By an earlier run: ${tokens}. Again by this one: ${step.token}.`,
  ];
}

function lapsedNote(step: ExplainedStep): string[] {
  const { state, worker, leaseLeftMs, isPending } = step;
  if (state !== 'claimed' || leaseLeftMs === null || leaseLeftMs > 0) return [];
  const became = isPending
    ? 'the endpoint makes it in the background, and the next attempt asks for it'
    : 'whether that attempt did its work is not known';
  return [
    `The claim of ${labelOf(step)} by ${worker ?? 'a worker'} is over without a result: ${became}.`,
  ];
}

function times(count: number): string {
  return count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`;
}

function attempts(count: number): string {
  return count === 1 ? '1 attempt' : `${count} attempts`;
}
