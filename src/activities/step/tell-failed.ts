import { Context, type ApplicationFailure } from '@temporalio/activity';
import { SdkComponent } from '@temporalio/common';

const told = new WeakSet<object>();

/**
 * Says in one line that an attempt has failed: a warning where no other follows by itself.
 *
 * @param thrown what the step's own work threw
 * @param forGood or `unknown`: the outcome is
 */
export function tellFailed(
  failure: ApplicationFailure,
  thrown: unknown,
  which: { step: string; attempt: number },
  forGood: boolean | 'unknown',
): void {
  const { log } = Context.current();
  // Of this program: `activity`, as the context has it, is a tool's.
  const ours = { ...which, sdkComponent: SdkComponent.worker };
  const line = { ...ours, error: failure };
  if (forGood === 'unknown') log.warn('The outcome of a step is unknown', line);
  else if (forGood) log.warn('A step failed', line);
  else log.info('An attempt of a step failed', line);
  log.debug('Why an attempt of a step failed', { ...ours, error: thrown });
  told.add(failure);
}

/** Whether an attempt's failure was told: Temporal's library says of each that an activity has failed. */
export function isTold(error: unknown): boolean {
  return told.has(error as object);
}
