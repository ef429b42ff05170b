import type { Logger } from '@temporalio/worker';
import { loggerOf } from '../../worker/log.ts';
import { logFieldsOf } from './workflow-trace.ts';

/**
 * The same log, in which lines of a run that came without a trace name its own. Where it came with one,
 * the sandbox has named it, which knows nothing of whether this worker traces.
 */
export function nameOwnTraces(logger: Logger): Logger {
  const log: Logger['log'] = (level, message, meta) => {
    const { runId, workflowType, trace_id } = meta ?? {};
    const lacks = typeof runId === 'string' && workflowType !== undefined && !trace_id;
    logger.log(level, message, lacks ? { ...meta, ...logFieldsOf(runId) } : meta);
  };
  return loggerOf(log);
}
