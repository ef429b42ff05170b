import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { BatchLine } from './batch.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { parseJson } from '../../contract/json.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import { LIMITS } from '../../contract/limits.ts';

/** A line as it was written: ten thousand texts take less room than what they mean. */
export interface TextLine {
  /** From 1; empty lines count. */
  line: number;
  text: string;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });
const NEWLINE = 10;
/** JSON may be written with a lot of space: what counts is checked later. */
const LONGEST_LINE = 4 * LIMITS.inputBytes;
/** How many lines a message names. */
const NAMED = 10;

/**
 * The lines of a file, or of standard input (`-`), without the empty ones.
 *
 * @throws {AgentOnceError} `usage` when it cannot be read or has no line; `input.invalid` when it
 *   is not UTF-8; `input.too_large`
 */
export async function readLines(file: string): Promise<TextLine[]> {
  const lines: TextLine[] = [];
  let line = 0;
  let begun: Buffer[] = [];
  const end = (last: Buffer): void => {
    line++;
    const text = decode(Buffer.concat([...begun, last]), line);
    begun = [];
    if (text.trim() !== '') lines.push({ line, text });
  };
  for await (const chunk of open(file)) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      end(chunk.subarray(from, at));
      from = at + 1;
    }
    begun.push(chunk.subarray(from));
    if (begun.reduce((bytes, part) => bytes + part.length, 0) > LONGEST_LINE) {
      throw new AgentOnceError(
        'input.too_large',
        `Line ${line + 1} is over ${LONGEST_LINE} bytes long; an input is 1 MiB at most. Nothing was started.`,
      );
    }
  }
  end(Buffer.alloc(0));
  if (lines.length === 0) {
    throw new AgentOnceError('usage', `${nameOf(file)} has no line with an input.`);
  }
  return lines;
}

/**
 * Checks every line before anything is started.
 *
 * @param check throws when a request with this input could not be sent
 * @throws {AgentOnceError} what the first bad line threw; names the lines, quotes none
 */
export function checkLines(
  lines: readonly TextLine[],
  check: (input: JsonValue, line: number) => void,
): void {
  let first: { line: number; error: AgentOnceError } | undefined;
  const others: number[] = [];
  for (const { line, text } of lines) {
    try {
      check(parseJson(text), line);
    } catch (error) {
      if (!(error instanceof AgentOnceError)) throw error;
      if (first) others.push(line);
      else first = { line, error };
    }
  }
  if (!first) return;
  const { line, error } = first;
  const more = others.length === 0 ? '' : ` Also bad: ${nameLines(others)}.`;
  throw new AgentOnceError(
    error.code,
    `Line ${line}: ${error.message}${more} Each line is one input as JSON. Nothing of the batch was started.`,
    { cause: error },
  );
}

/** The lines as requests, each parsed when its turn comes. */
export function* parseLines(lines: readonly TextLine[]): Generator<BatchLine, void> {
  for (const { line, text } of lines) yield { line, input: parseJson(text) };
}

/** `line 3`, `lines 3, 7`: as many as a person reads. */
export function nameLines(lines: readonly number[]): string {
  const named = lines.slice(0, NAMED).join(', ');
  const more = lines.length > NAMED ? ` and ${lines.length - NAMED} more` : '';
  return `${lines.length === 1 ? 'line' : 'lines'} ${named}${more}`;
}

async function* open(file: string): AsyncGenerator<Buffer, void> {
  const stream: Readable = file === '-' ? process.stdin : createReadStream(file);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new AgentOnceError(
      'usage',
      `${nameOf(file)} cannot be read (${code ?? 'unknown reason'}).`,
    );
  }
}

function decode(bytes: Buffer, line: number): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    // Replacement characters would change the input unseen.
    throw new AgentOnceError(
      'input.invalid',
      `Line ${line} is not UTF-8 text. Nothing of the batch was started.`,
    );
  }
}

function nameOf(file: string): string {
  return file === '-' ? 'Standard input' : `The file ${file}`;
}
