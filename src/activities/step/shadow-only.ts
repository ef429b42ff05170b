import type { StepRun } from '../../contract/step.ts';
import type { ActivityDeps } from '../deps.ts';
import { failStep } from './failures.ts';

/** Refuses a step of a real run on a worker that is for shadow runs only. Nothing was done yet. */
export function assertMayRun({ shadowOnly }: Pick<ActivityDeps, 'shadowOnly'>, run: StepRun): void {
  if (!shadowOnly || run.shadow) return;
  throw failStep({
    code: 'run.not_shadow',
    message:
      'This worker executes shadow runs only (--shadow-only), and the run is none: nothing was ' +
      'called, no model was paid. Start it with --shadow under another key; or stop this worker, ' +
      'start an ordinary one, and resume the run (agent-once resume).',
    retryable: false,
  });
}
