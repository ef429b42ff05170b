import { types } from 'node:util';
import {
  DefaultLogger,
  type LogEntry,
  type Logger,
  type LogLevel,
  type LogMetadata,
} from '@temporalio/worker';
import { isTold } from '../activities/step/tell-failed.ts';
import { isErrorCode } from '../contract/errors.ts';
import { oneLine } from '../contract/plain-text.ts';

/** What Temporal's library adds to each line, and what names nothing that a person looks for. */
const LEFT_OUT = ['taskToken', 'sdkComponent', 'namespace', 'taskQueue', 'workflowType', 'isLocal'];
/** Characters of one value: an error may repeat a whole request. */
const LONGEST = 4_000;

/** What Temporal's library logs when a worker has failed, with the reason. */
const WORKER_FAILED = 'Worker failed';
/** What it logs of each attempt that has failed, also where we have said so and know more of it. */
const ACTIVITY_FAILED = 'Activity failed';

/** The worker's log, on stderr: one line an entry, whatever text of others stands in it. */
export function createLogger(level: string): Logger {
  return new DefaultLogger(level.toUpperCase() as LogLevel, (entry) => {
    process.stderr.write(`${logLine(entry, level === 'debug')}\n`);
  });
}

/**
 * The same log, without what it would say twice.
 *
 * @param workerFailed called with the reason for which a worker of Temporal's library has failed. It
 *   says it here alone: its `run` may end with an error of its own cleaning up, or not at all
 */
export function noticeFailure(logger: Logger, workerFailed: (reason: unknown) => void): Logger {
  const log: Logger['log'] = (level, message, meta) => {
    if (message === WORKER_FAILED) workerFailed(meta?.['error']);
    if (message !== ACTIVITY_FAILED || !isTold(meta?.['error'])) logger.log(level, message, meta);
  };
  return loggerOf(log);
}

/** A logger of which each method writes by `log`. */
export function loggerOf(log: Logger['log']): Logger {
  return {
    log,
    trace: (...entry) => log('TRACE', ...entry),
    debug: (...entry) => log('DEBUG', ...entry),
    info: (...entry) => log('INFO', ...entry),
    warn: (...entry) => log('WARN', ...entry),
    error: (...entry) => log('ERROR', ...entry),
  };
}

/**
 * An entry as one line, its values behind it as `name=value`. An error is its code or name, and its
 * message.
 *
 * @param stacks whether to show the stacks of errors and of their causes too
 */
export function logLine(
  { level, message, meta, timestampNanos }: LogEntry,
  stacks = false,
): string {
  const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  const values = Object.entries(meta ?? ({} as LogMetadata))
    .filter(([name, value]) => value !== undefined && !LEFT_OUT.includes(name))
    .map(([name, value]) => ` ${name}=${asText(value, stacks)}`);
  return oneLine(`${time} [${level}] ${message}${values.join('')}`);
}

function asText(value: unknown, stacks: boolean): string {
  try {
    // One of a workflow is of another realm.
    const text = types.isNativeError(value) ? errorText(value, stacks) : jsonText(value);
    return text.length > LONGEST ? `${text.slice(0, LONGEST)} … (cut)` : text;
  } catch {
    // A tool may log anything, also what throws when it is looked at.
    return '(cannot be shown)';
  }
}

/** Words as they are, everything else as JSON. */
function jsonText(value: unknown): string {
  if (typeof value === 'string' && /^[\w.:/@-]+$/.test(value)) return value;
  const text = JSON.stringify(value, (_name, inner: unknown) =>
    typeof inner === 'bigint' ? String(inner) : inner instanceof Error ? String(inner) : inner,
  );
  return text ?? String(value);
}

function errorText(error: Error, stacks: boolean): string {
  if (!stacks) return JSON.stringify(`${kindOf(error)}${error.message}`);
  const causes: string[] = [];
  for (let at: unknown = error; at instanceof Error && causes.length < 10; at = at.cause) {
    causes.push(at.stack ?? String(at));
  }
  return JSON.stringify(causes.join('\ncaused by '));
}

/** What an error is, before its message: a failure of Temporal's has it in its type. */
function kindOf(error: Error): string {
  const { type, code } = error as { type?: unknown; code?: unknown };
  if (typeof type === 'string') return `${type}: `;
  if (isErrorCode(code)) return `${code}: `;
  return error.name === 'Error' ? '' : `${error.name}: `;
}
