import type { RunView } from '../client/types.ts';
import { commandFor, startCommandFor } from './commands.ts';

/** How to go on with a run that failed or was cancelled, in sentences with commands to type. */
export function afterFailure(run: RunView): string[] {
  const code = run.error?.code;
  if (code === 'step.superseded') return [`What has its key now: ${commandFor('explain', run)}`];
  const forget = `Make the key new, to do everything again: ${commandFor('forget', run)}`;
  // History and ledger have parted: resuming ends in the same place.
  if (code === 'step.diverged') return [forget];
  const turns = 2 * Math.max(1, run.usage?.turns ?? 1);
  const limit = code === 'run.turn_limit' ? ` --max-turns ${turns}` : '';
  const resume = startCommandFor(run, ` --retry-failed${limit}`);
  return [
    `What happened: ${commandFor('explain', run)}`,
    `Resume it with the same input, and nothing that is recorded runs again: ${resume}`,
    forget,
  ];
}
