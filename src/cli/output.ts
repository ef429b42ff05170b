import type { WriteStream } from 'node:tty';
import pc from 'picocolors';
import { ERRORS } from '../contract/errors.ts';
import type { JsonValue } from '../contract/json-value.ts';
import { showDirection } from '../contract/plain-text.ts';
import { describeDiskError } from './disk-error.ts';

type Stream = NodeJS.WriteStream & { hasColors?: WriteStream['hasColors'] };

/** Colours for a stream: none unless it is a terminal that wants them (`NO_COLOR`, `TERM=dumb`). */
export function coloursOf(stream: Stream): ReturnType<typeof pc.createColors> {
  return pc.createColors(stream.isTTY === true && stream.hasColors?.() === true);
}

/** Writes the one JSON document that a command with `--json` puts on stdout. */
export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document)}\n`);
}

/** Writes a run's result bare: text as it is, anything else as JSON. */
export function printResult(result: JsonValue): void {
  const text = typeof result === 'string' ? result : JSON.stringify(result, null, 2);
  process.stdout.write(`${process.stdout.isTTY ? printable(text, true) : text}\n`);
}

/** Writes what a command was asked for. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Says something to the person at the terminal; stdout is for results. */
export function say(line: string, level: SayingLevel = 'info'): void {
  saying(line, level);
}

type SayingLevel = 'info' | 'error' | 'debug';
let saying = (line: string, _level: SayingLevel): void => void process.stderr.write(`${line}\n`);

/** What is said becomes part of a log from here on: in processes that serve. */
export function sayInto(log: typeof saying): void {
  saying = log;
}

/** Models write what they are told to: their text must not steer the terminal. */
export function printable(text: string, lines = false): string {
  // eslint-disable-next-line no-control-regex
  const controls = lines ? /[\0-\x08\x0b-\x1f\x7f-\x9f]/g : /[\0-\x1f\x7f-\x9f]/g;
  return showDirection(text.replace(controls, ' '));
}

/** Text of others as it is shown where there may be much of it; `--json` has the whole. */
export function shortened(text: string, longest: number): string {
  const shown = printable(text);
  return shown.length > longest ? `${shown.slice(0, longest)}… (cut)` : shown;
}

/**
 * Says what becomes of the process when its output is taken no more. `agent-once list | head -1`
 * closes the pipe early: the command ends, and that is no error. A disk that is full is told on stderr;
 * where that is full the command goes on, and its exit code says how it ended.
 *
 * @param serving for a process that others rely on: it goes on without its output, which is a log
 */
export function handleFailingOutput(serving: boolean): void {
  if (serving) {
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
    return;
  }
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    endQuietlyWhenNobodyReads(error);
    const { code, message } = describeDiskError(error) ?? {
      code: 'disk.failed',
      message: `The output cannot be written (${error.code ?? error.message}).`,
    };
    say(
      `error ${message} What the command did is done all the same: repeat it with the same key, or look with status or list. (${code})`,
    );
    process.exit(ERRORS[code].exit);
  });
  process.stderr.on('error', endQuietlyWhenNobodyReads);
}

function endQuietlyWhenNobodyReads({ code }: NodeJS.ErrnoException): void {
  if (code === 'EPIPE') process.exit(process.exitCode ?? 0);
}
