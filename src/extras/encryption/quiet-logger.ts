import { types } from 'node:util';
import type { Logger, LogMetadata } from '@temporalio/worker';

/** What stands for the message of a failure. */
const LEFT_OUT =
  '(left out, since what is kept is encrypted; AGENT_ONCE_LOG_LEVEL=debug shows it here)';

/** Entries about what steps and runs failed with: of Temporal's library, and of `worker/strays.ts`. */
const OF_STEPS =
  /^(?:(?:Activity|Workflow) failed|A step failed by an error|Code of a step|An error that nothing awaits)/;

/**
 * The same log, without what steps failed with: a tool or a model may have put anything into a message.
 * Errors of this program and of Temporal's library stay as they are.
 */
export function leaveOutMessages(logger: Logger): Logger {
  return {
    log: (level, message, meta) => logger.log(level, message, quiet(message, meta)),
    trace: (message, meta) => logger.trace(message, quiet(message, meta)),
    debug: (message, meta) => logger.debug(message, quiet(message, meta)),
    info: (message, meta) => logger.info(message, quiet(message, meta)),
    warn: (message, meta) => logger.warn(message, quiet(message, meta)),
    error: (message, meta) => logger.error(message, quiet(message, meta)),
  };
}

function quiet(message: string, meta: LogMetadata | undefined): LogMetadata | undefined {
  const error: unknown = meta?.['error'];
  // One of a workflow is of another realm, and may have lost its class on the way.
  if (!types.isNativeError(error)) return meta;
  if (error.name !== 'ApplicationFailure' && !OF_STEPS.test(message)) return meta;
  const { type } = error as { type?: unknown };
  return { ...meta, error: Object.assign(new Error(LEFT_OUT), { type }) };
}
