import type { WriteStream } from 'node:tty';
import pc from 'picocolors';
import type { JsonValue } from '../contract/json-value.ts';
import { showDirection } from '../contract/plain-text.ts';

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
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Models write what they are told to: their text must not steer the terminal. */
export function printable(text: string, lines = false): string {
  // eslint-disable-next-line no-control-regex
  const controls = lines ? /[\0-\x08\x0b-\x1f\x7f-\x9f]/g : /[\0-\x1f\x7f-\x9f]/g;
  return showDirection(text.replace(controls, ' '));
}

/** `agent-once list | head -1` closes the pipe early; that is no error. */
export function endsQuietlyWhenNobodyReads(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}
