import type { Explanation } from './explanation.ts';
import { notesOnSteps } from './step-notes.ts';
import { usageDiffers } from './sum-usage.ts';

type Noted = Omit<Explanation, 'notes'>;

/** What a reader should know besides the bare facts: whole sentences, each true by itself. */
export function notesOn(
  explanation: Noted,
  found: { cut: boolean; indexFailed: boolean },
): string[] {
  return [
    ...forgottenNotes(explanation),
    ...notesOnSteps(explanation.steps ?? [], explanation.questions ?? []),
    ...liveNotes(explanation),
    ...lostNotes(explanation),
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

function liveNotes({ live }: Noted): string[] {
  if (!live) return [];
  return [
    live.cancelRequested && 'The run was asked to stop and has not ended yet.',
    !live.hasWorker && 'No worker polls for the run: it goes on when one is there.',
    live.workflowTaskAttempt !== null &&
      `A workflow task failed, or its worker died (attempt ${live.workflowTaskAttempt}). Another worker takes a dead one's tasks over; if the worker's log says that the code failed, the run goes on when corrected code is deployed.`,
  ].filter((note) => note !== false);
}

/** What a ledger lacks that the run has recorded was done, whatever else is said here. */
function lostNotes({ steps, live, waiting, reportedUsage }: Noted): string[] {
  if (steps === null) return [];
  const answers = steps.filter(({ kind, state }) => kind === 'model' && state === 'completed');
  const isLost =
    answers.length < (reportedUsage?.modelCalls ?? 0) ||
    waiting.some((question) => !steps.some(({ id }) => id === question.step)) ||
    live?.pending.some(({ lastError }) => lastError?.code === 'ledger.restored');
  if (!isLost) return [];
  return [
    'The ledger lacks steps that this run has recorded: LEDGER_URL names another ledger than the workers have, or an earlier state of it was restored, or rows were deleted. What is missing was done; that it is not shown here does not say that it was not.',
  ];
}

function usageNotes(explanation: Noted): string[] {
  const { status, usage, reportedUsage, ledgerError } = explanation;
  if (ledgerError) {
    return [
      'The ledger could not be read: the steps are missing here, and with them what they cost.',
    ];
  }
  const ended = status === 'completed' || status === 'failed' || status === 'cancelled';
  if (!ended || !usage || !reportedUsage || !usageDiffers(usage, reportedUsage)) return [];
  if (lostNotes(explanation).length > 0) return [];
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
