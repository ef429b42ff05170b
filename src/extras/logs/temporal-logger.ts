import {
  DefaultLogger,
  makeTelemetryFilterString,
  type LogLevel,
  type RuntimeOptions,
} from '@temporalio/worker';
import type { Logger } from 'pino';
import { AT } from './describe-entry.ts';

/** Temporal's library logs to ours, and its core, which has a console of its own, with it. */
export function extendRuntime(
  options: RuntimeOptions,
  log: Logger,
  logLevel: string,
): RuntimeOptions {
  const level = logLevel.toUpperCase() as LogLevel;
  const logger = new DefaultLogger(level, ({ level: at, message, meta, timestampNanos }) => {
    const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
    log[at.toLowerCase() as Lowercase<LogLevel>]({ ...meta, [AT]: time }, message);
  });
  // For debugging its core tells tasks whole, with their inputs and with keys in tokens.
  const core = level === 'DEBUG' ? 'INFO' : level;
  const filter = makeTelemetryFilterString({ core, other: 'ERROR' });
  const { telemetryOptions } = options;
  return {
    ...options,
    logger,
    telemetryOptions: { ...telemetryOptions, logging: { forward: {}, filter } },
  };
}
