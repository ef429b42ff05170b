import type { Effect } from '../contract/step.ts';
import type { ExplainedStep, Explanation } from './explanation.ts';
import { labelOf } from './step-title.ts';
import { usageDiffers } from './sum-usage.ts';

/** What stays open when an attempt of a tool ends without a word, by the tool's effect. */
const AFTER_SILENCE: Record<Effect, string> = {
  read: 'it reads only, so it was run again',
  keyed: 'it was sent again with the same token, and the other side counts one token once',
  transactional: 'nothing of it was committed, and it was done again',
  reconcile: 'the other side is asked what became of it',
  'at-most-once': 'only a person can say whether it happened',
};

type Noted = Omit<Explanation, 'notes'>;

/** What a reader should know besides the bare facts: whole sentences, each true by itself. */
export function notesOn(
  explanation: Noted,
  found: { cut: boolean; indexFailed: boolean },
): string[] {
  return [
    ...forgottenNotes(explanation),
    ...stepNotes(explanation),
    ...liveNotes(explanation),
    ...usageNotes(explanation),
    ...executionNotes(explanation, found),
  ];
}

function forgottenNotes({ status, closedAt, executions }: Noted): string[] {
  if (status !== 'forgotten') return [];
  const last = executions.findLastIndex((each) => each.intent !== 'forgotten');
  const result =
    executions[last]?.status === 'completed'
      ? ` Its result is not given out any more; Temporal UI shows it in execution ${last + 1}.`
      : '';
  return [
    `The key was forgotten at ${closedAt ?? 'an unknown time'}: it is free for a new run. What the forgotten run did stays done.${result}`,
  ];
}

function stepNotes({ steps }: Noted): string[] {
  const all = steps ?? [];
  return [
    ...all.filter(({ possiblyPaidTwice }) => possiblyPaidTwice).map(paidNote),
    ...all.flatMap(silenceNote),
    ...all.flatMap(lapsedNote),
    ...all.flatMap(lateNote),
    ...all.flatMap(repeatNote),
  ];
}

function paidNote({ id, unknownAttempts, usage, state }: ExplainedStep): string {
  const cost = usage?.costUsd ?? null;
  const price = cost === null ? '' : `, about $${cost}${unknownAttempts === 1 ? '' : ' each time'}`;
  const then = state === 'completed' ? '; a later one succeeded' : '';
  return `The model call ${id} may have been paid ${times(unknownAttempts)} more than is counted here${price}. ${attempts(unknownAttempts)} of it ended without a word, as when a worker dies${then}. No tool call was affected by that.`;
}

function silenceNote(step: ExplainedStep): string[] {
  const { effect, unknownAttempts } = step;
  if (effect === null || unknownAttempts === 0) return [];
  return [
    `${attempts(unknownAttempts)} of ${labelOf(step)} ended without a word, as when a worker dies: ${AFTER_SILENCE[effect]}.`,
  ];
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
  const { state, worker, leaseLeftMs } = step;
  if (state !== 'claimed' || leaseLeftMs === null || leaseLeftMs > 0) return [];
  return [
    `The claim of ${labelOf(step)} by ${worker ?? 'a worker'} is over without a result: whether that attempt did its work is not known.`,
  ];
}

function liveNotes({ live }: Noted): string[] {
  if (!live) return [];
  return [
    live.cancelRequested && 'The run was asked to stop and has not ended yet.',
    !live.hasWorker && 'No worker polls for the run: it goes on when one is there.',
    live.workflowTaskAttempt !== null &&
      `The workflow code fails in the deployed worker (attempt ${live.workflowTaskAttempt}); the run goes on when corrected code is deployed. The worker's log says why.`,
  ].filter((note) => note !== false);
}

function usageNotes({ status, steps, usage, reportedUsage, ledgerError }: Noted): string[] {
  if (ledgerError) {
    return [
      'The ledger could not be read: the steps are missing here, and with them what they cost.',
    ];
  }
  const ended = status === 'completed' || status === 'failed' || status === 'cancelled';
  if (!ended || !usage || !reportedUsage || !usageDiffers(usage, reportedUsage)) return [];
  if (steps?.length === 0) {
    return [
      'The ledger has no step of this run, though the run had some: LEDGER_URL may name another ledger than the workers have, or the rows were deleted.',
    ];
  }
  return [
    'The run reports another usage than the sum of the recorded steps; the steps are what was paid for.',
  ];
}

function executionNotes(
  { executions, definitionChanged, scope, earlierRuns }: Noted,
  { cut, indexFailed }: { cut: boolean; indexFailed: boolean },
): string[] {
  const gone = executions.filter(({ status }) => status === 'gone').length;
  const earlier = executions.some((each) => each.scope !== null && each.scope !== scope);
  return [
    definitionChanged === true &&
      "The agent's definition changed between two executions: recorded steps hold, later ones follow the new one.",
    gone > 0 &&
      `Temporal has deleted ${gone === 1 ? 'an earlier execution' : `${gone} earlier executions`} under this key; how ${gone === 1 ? 'it' : 'they'} ended is no longer known.`,
    earlier &&
      earlierRuns === null &&
      'Earlier runs under this key have steps of their own, which are not known without the ledger.',
    cut && 'There are more executions under this key than are shown here.',
    indexFailed && "Temporal's index did not answer: executions before a reset may be missing.",
  ].filter((note) => note !== false);
}

function times(count: number): string {
  return count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`;
}

function attempts(count: number): string {
  return count === 1 ? '1 attempt' : `${count} attempts`;
}
