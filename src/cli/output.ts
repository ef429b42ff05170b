import type { WriteStream } from 'node:tty';
import pc from 'picocolors';

type Stream = NodeJS.WriteStream & { hasColors?: WriteStream['hasColors'] };

/** Colours for a stream: none unless it is a terminal that wants them (`NO_COLOR`, `TERM=dumb`). */
export function coloursOf(stream: Stream): ReturnType<typeof pc.createColors> {
  return pc.createColors(stream.isTTY === true && stream.hasColors?.() === true);
}

/** Writes the one JSON document that a command with `--json` puts on stdout. */
export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document)}\n`);
}

/** Says something to the person at the terminal; stdout is for results. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** `agent-once list | head -1` closes the pipe early; that is no error. */
export function endsQuietlyWhenNobodyReads(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}
