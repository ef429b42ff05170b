import type { Logger } from '@temporalio/worker';
import { blameStep, describeThrown, type StrayKind } from '../activities/step/step-code.ts';
import { AgentOnceError } from '../contract/errors.ts';

/**
 * Looks after errors that nothing awaits, which would end the process, and each that tries again:
 * the step whose code it was fails. Where that cannot be told, the worker has to go, since a step
 * may be waiting for what never comes.
 *
 * @param leave called with the reason
 * @returns what ends the looking after
 */
export function watchStrays(log: Logger, leave: (why: AgentOnceError) => void): () => void {
  const meet = (thrown: unknown, kind: StrayKind): void => {
    const end = blameStep(thrown, kind);
    const error = thrown instanceof Error ? thrown : describeThrown(thrown);
    if (end.became === 'unknown') {
      log.error('An error that nothing awaits, and nobody knows of which step: this worker ends', {
        error,
      });
      leave(strayError(thrown));
      return;
    }
    const what =
      end.became === 'failed'
        ? 'A step failed by an error that nothing awaits'
        : 'Code of a step that has ended threw where nothing awaits it';
    log.warn(what, { step: end.step, error });
  };
  const onRejection = (reason: unknown): void => meet(reason, 'rejection');
  const onException = (error: unknown): void => meet(error, 'exception');
  process.on('unhandledRejection', onRejection).on('uncaughtException', onException);
  return () => {
    process.off('unhandledRejection', onRejection).off('uncaughtException', onException);
  };
}

function strayError(thrown: unknown): AgentOnceError {
  return new AgentOnceError(
    'worker.stray_error',
    // Without what was thrown: the log has it, and whoever encrypts has it left out there.
    'Code in this worker threw where nothing awaits it, and it cannot be told in which step. The line of the log before says what it threw. ' +
      'The worker took no new work and gave its steps time to end. What did not end is tried again elsewhere, and that attempt counts. ' +
      'AGENT_ONCE_LOG_LEVEL=debug shows where it was thrown: await that promise, or catch errors in that callback.',
    { cause: thrown },
  );
}
