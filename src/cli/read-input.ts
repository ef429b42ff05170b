import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { AgentOnceError } from '../contract/errors.ts';
import { parseJson } from '../contract/json.ts';
import type { JsonValue } from '../contract/json-value.ts';
import { LIMITS } from '../contract/limits.ts';
import { INPUT_TO_FILL_IN } from './commands.ts';

export interface InputFlags {
  input?: string;
  inputJson?: string;
  inputFile?: string;
}

/** JSON text may be written with a lot of space: what counts is checked later. */
const READ_AT_MOST = 4 * LIMITS.inputBytes;

/**
 * The run's input, from exactly one source.
 *
 * @param operand `-` reads standard input as text
 * @throws {AgentOnceError} `usage`, `input.invalid`, `input.too_large`
 */
export async function readInput(flags: InputFlags, operand?: string): Promise<JsonValue> {
  if (operand !== undefined && operand !== '-') {
    throw usage(
      `"${operand}" is one argument too many. An input is given with --input, a number of seconds as in --wait=30.`,
    );
  }
  const sources = [flags.input, flags.inputJson, flags.inputFile, operand];
  const given = sources.filter((source) => source !== undefined).length;
  if (given === 0) {
    throw usage(
      'The run has no input. Give it with --input TEXT, --input-json JSON, --input-file FILE, or - to read standard input.',
    );
  }
  if (given > 1) {
    throw usage('Give one input: --input, --input-json, --input-file or -, not several.');
  }
  if (flags.input !== undefined) return notEmpty(filledIn(flags.input));
  if (flags.inputJson !== undefined) return parseJson(flags.inputJson);
  if (flags.inputFile === undefined) {
    return notEmpty(decode(await readAll(process.stdin), 'Standard input'));
  }
  const text = await readText(flags.inputFile);
  return flags.inputFile.toLowerCase().endsWith('.json') ? parseJson(text) : notEmpty(text);
}

/** A command that was pasted as it was shown: under a key that is free it would start a run. */
function filledIn(text: string): string {
  if (!Object.values<string>(INPUT_TO_FILL_IN).includes(text)) return text;
  throw new AgentOnceError(
    'input.invalid',
    `"${text}" stands for the run's input: put that in its place. Nothing was started.`,
  );
}

/** An unset variable, an empty pipe: nothing that is worth a key and a model's answer. */
function notEmpty(text: string): string {
  if (text.trim() !== '') return text;
  throw new AgentOnceError(
    'input.invalid',
    'The input is empty. Nothing was started. For a run that needs none, say so: --input-json null',
  );
}

/**
 * The text of a file; `-` is standard input.
 *
 * @throws {AgentOnceError} `usage`, `input.invalid`, `input.too_large`
 */
export async function readText(file: string): Promise<string> {
  if (file === '-') return decode(await readAll(process.stdin), 'Standard input');
  return decode(await readFile(file), `The file ${file}`);
}

async function readFile(file: string): Promise<Buffer> {
  try {
    return await readAll(createReadStream(file));
  } catch (error) {
    if (error instanceof AgentOnceError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw usage(`The file ${file} cannot be read (${code ?? 'unknown reason'}).`);
  }
}

async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > READ_AT_MOST) {
      throw new AgentOnceError(
        'input.too_large',
        'The input is over 1 MiB. Nothing was started. Put what is large where a tool can read it, and send a reference.',
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Anything but UTF-8 is refused: replacement characters would change the input unseen. */
function decode(bytes: Buffer, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new AgentOnceError('input.invalid', `${what} is not UTF-8 text.`);
  }
}

export function usage(message: string): AgentOnceError {
  return new AgentOnceError('usage', message);
}
