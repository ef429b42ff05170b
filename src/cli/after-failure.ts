import type { RunRef, RunView } from '../client/types.ts';
import { commandFor } from './commands.ts';
import { MEND_FIRST } from './what-to-mend.ts';

/** A run that failed or was cancelled. */
export type EndedRun = Required<RunRef> & Pick<RunView, 'error' | 'usage' | 'shadow'>;

/** How to go on with a run of which only the end is known: a line each. */
export function afterFailure(run: EndedRun): string[] {
  const code = run.error?.code;
  const explain = commandFor('explain', run);
  if (code === 'step.superseded') return [`What has its key now: ${explain}`];
  const mend = code === undefined ? undefined : MEND_FIRST[code];
  const again = run.shadow ? '' : ', which makes every effect again';
  return [
    `What happened, and what it cost: ${explain}`,
    ...(mend === undefined ? [] : [mend]),
    `Resume it; what is recorded does not run again: ${resumeCommandFor(run)}`,
    `Not a retry: after this, a start makes a NEW run${again}: ${commandFor('forget', run)}`,
  ];
}

/** The command that goes on with it, with a higher limit of turns where it met the limit. */
export function resumeCommandFor(run: EndedRun): string {
  return commandFor('resume', run, moreTurns(run));
}

export function moreTurns({ error, usage }: EndedRun): string[] {
  const turns = 2 * Math.max(1, usage?.turns ?? 1);
  return error?.code === 'run.turn_limit' ? [`--max-turns ${turns}`] : [];
}
