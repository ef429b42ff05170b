import { CommanderError } from 'commander';
import { secretsIn } from '../config.ts';
import { ERRORS, isErrorCode, type ErrorCode } from '../contract/errors.ts';
import { redact } from '../contract/redact.ts';
import { describeDiskError } from './disk-error.ts';
import { coloursOf, printable, printJson, say } from './output.ts';

/**
 * Tells a person, or with `--json` a program, how a command ended, and returns its exit code.
 * Stack traces, and the errors that caused it, are for `AGENT_ONCE_LOG_LEVEL=debug`.
 *
 * @param argv the arguments after the command's name; read for `--json`, since a wrong command
 *   line has no parsed options.
 */
export function reportError(error: unknown, argv: readonly string[]): number {
  const json = wantsJson(argv);
  if (error instanceof CommanderError) {
    // Help and version end with exit code 0; commander has written the message of the others.
    if (error.exitCode === 0) return 0;
    const message = error.message.replace(/^error: /, '');
    if (json && error.code !== 'commander.help') printJson({ error: { code: 'usage', message } });
    return ERRORS.usage.exit;
  }
  const { code, message } = describeError(error);
  if (json) printJson({ error: { code, message } });
  const colours = coloursOf(process.stderr);
  // Some messages of ours have several lines, and some repeat text of others.
  say(`${colours.red('error')} ${printable(message, true)} ${colours.dim(`(${code})`)}`, 'error');
  if (process.env['AGENT_ONCE_LOG_LEVEL'] === 'debug' && error instanceof Error) {
    for (const line of chainOf(error)) say(colours.dim(printable(line, true)), 'debug');
  }
  return ERRORS[code].exit;
}

/** By its code and not its class: an error may come from another copy of the module. */
function describeError(error: unknown): { code: ErrorCode; message: string } {
  if (error instanceof Error && 'code' in error && isErrorCode(error.code)) {
    return { code: error.code, message: error.message };
  }
  const ofDisk = describeDiskError(error);
  if (ofDisk) return ofDisk;
  const what = clean(error instanceof Error ? error.message : String(error));
  return {
    code: 'internal',
    message: `This is a defect of agent-once: ${what}. AGENT_ONCE_LOG_LEVEL=debug shows where.`,
  };
}

const DEEPEST = 10;

/** The error and its causes, each with its code: without secrets, whoever wrote the messages. */
function chainOf(error: unknown, depth = 0): string[] {
  if (!(error instanceof Error) || depth === DEEPEST) return [];
  const { code } = error as { code?: unknown };
  const told = typeof code === 'string' || typeof code === 'number' ? ` (${code})` : '';
  const stack = error.stack ?? String(error);
  // Several addresses of one name were tried: an error for each.
  const others: unknown[] = error instanceof AggregateError ? error.errors : [];
  return [
    clean(depth === 0 ? stack : `caused by${told}: ${stack}`),
    ...[...others, error.cause].flatMap((each) => chainOf(each, depth + 1)),
  ];
}

function clean(text: string): string {
  return redact(text, secretsIn(process.env));
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json');
}
