import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context } from '@temporalio/activity';
import type { ActivityDeps } from '../deps.ts';
import type { Attempt } from './attempt-end.ts';

/** Attempts whose execution is over, though they were told that it was cancelled. */
const ofEnded = new WeakSet<Context>();

/** What ends an attempt from outside. */
export function haltOf({ stopped }: ActivityDeps, context: Context): Attempt['halted'] {
  const { info, cancellationSignal, cancellationDetails } = context;
  if (!cancellationSignal.aborted) return info.isLocal && stopped.aborted ? 'stopped' : 'no';
  const cancelled = cancellationDetails?.cancelRequested === true && !ofEnded.has(context);
  return cancelled ? 'cancelled' : 'let-go';
}

/**
 * Says when the run is cancelled or the worker stops; where the attempt outlives Temporal's patience,
 * not when Temporal has given it up for dead, as it does with one that was paused, or whose execution
 * was terminated or reset. A server that tells workers by itself says "cancelled" of these too.
 */
export function onCancelled(
  context: Context,
  { pushed, isOpen }: Pick<ActivityDeps, 'pushed' | 'isOpen'>,
  outlives: boolean,
  tell: (reason: unknown) => void,
): void {
  const { cancellationSignal, info } = context;
  const pass = AsyncLocalStorage.bind(async (): Promise<void> => {
    const { notFound, timedOut, cancelRequested } = context.cancellationDetails ?? {};
    const execution = info.workflowExecution;
    const asks = pushed && cancelRequested === true && execution !== undefined;
    if (asks && !(await isOpen(execution).catch(() => true))) ofEnded.add(context);
    const givenUp = notFound === true || timedOut === true || ofEnded.has(context);
    if (!outlives || !givenUp) tell(cancellationSignal.reason);
  });
  if (cancellationSignal.aborted) void pass();
  else cancellationSignal.addEventListener('abort', () => void pass(), { once: true });
}
