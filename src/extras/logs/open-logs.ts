import { pino, type LoggerOptions } from 'pino';
import type { RuntimeOptions } from '@temporalio/worker';
import type { ServingPart } from '../../cli/commands.ts';
import { coloursOf, sayInto } from '../../cli/output.ts';
import { readConfig, secretsIn } from '../../config.ts';
import { oneLine } from '../../contract/plain-text.ts';
import { pinoOptions } from './pino-options.ts';
import { readLogFormat, type LogFormat } from './settings.ts';
import { terminalLine } from './terminal-line.ts';

/** The log of a process that serves. */
export interface Logs {
  /** Temporal's library logs as we do, and its core with it. */
  runtime(options: RuntimeOptions): RuntimeOptions;
  /** For a part that has a pino of its own. */
  pino(options: LoggerOptions & { stream?: NodeJS.WriteStream }): object;
}

/**
 * @param part what the process is, in each of its lines
 * @throws {AgentOnceError} `config.invalid`
 */
export async function openLogs(part: ServingPart): Promise<Logs> {
  const format = readLogFormat() ?? (process.stderr.isTTY ? 'text' : 'json');
  const secrets = secretsIn();
  // Before anything else is read: that a setting is wrong is said in the same way.
  if (format === 'json') {
    const told = pino(pinoOptions(part, 'debug', { secrets, ...PLAIN }), {
      write: (line) => write(process.stderr, line, 'json'),
    });
    sayInto((text, level) => told[level](text.replace(/^error /, '')));
  }
  const { logLevel, telemetryKey } = readConfig();
  const describing = {
    telemetryKey,
    secrets,
    stacks: logLevel === 'debug',
    // Of its requests, and no tool logs there.
    asTheyAre: part === 'service' ? ['req', 'res'] : [],
  };
  const options = pinoOptions(part, logLevel, describing);
  const log = pino(options, { write: (line) => write(process.stderr, line, format) });
  const { extendRuntime } = part === 'worker' ? await import('./temporal-logger.ts') : NO_TEMPORAL;
  return {
    runtime: (given) => extendRuntime(given, log, logLevel),
    pino: ({ serializers, stream = process.stdout, ...given }) => ({
      ...given,
      ...options,
      serializers: { ...serializers, ...options.serializers },
      stream: { write: (line: string) => write(stream, line, format) },
    }),
  };
}

const PLAIN = { telemetryKey: undefined, stacks: false };
const NO_TEMPORAL = { extendRuntime: (given: RuntimeOptions) => given };

/** At once, and before it returns: what a process says right before its end is not lost. */
function write(stream: NodeJS.WriteStream, line: string, format: LogFormat): void {
  const json = line.trimEnd();
  // In JSON an escape says the same as the character that would steer a terminal.
  const text = format === 'json' ? oneLine(json) : terminalLine(json, coloursOf(stream));
  stream.write(`${text}\n`);
}
