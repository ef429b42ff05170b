import type { RunRef, RunView } from '../client/types.ts';
import { commandFor, startCommandFor } from './commands.ts';

type Ended = Required<RunRef> & Pick<RunView, 'error' | 'usage'>;

/** How to go on with a run that failed or was cancelled, in sentences with commands to type. */
export function afterFailure(run: Ended): string[] {
  if (run.error?.code === 'step.superseded') {
    return [`What has its key now: ${commandFor('explain', run)}`];
  }
  const explain = `What happened: ${commandFor('explain', run)}`;
  return run.error?.code === 'step.diverged' ? waysOn(run) : [explain, ...waysOn(run)];
}

/** Resuming it, where that may help, or making its key new. */
export function waysOn(run: Ended): string[] {
  const code = run.error?.code;
  const forget = `Make the key new, to do everything again: ${commandFor('forget', run)}`;
  // History and ledger have parted: resuming ends in the same place.
  if (code === 'step.diverged') return [forget];
  const turns = 2 * Math.max(1, run.usage?.turns ?? 1);
  const limit = code === 'run.turn_limit' ? ` --max-turns ${turns}` : '';
  const resume = startCommandFor(run, ` --retry-failed${limit}`);
  return [
    `Resume it with the same input, and nothing that is recorded runs again: ${resume}`,
    forget,
  ];
}
