import { parseItem } from 'structured-headers';
import { AgentOnceError } from '../../contract/errors.ts';
import { assertKey } from '../../contract/key.ts';

/**
 * Structured field types that are no strings (RFC 9651 section 4.2.3.1): integers and decimals,
 * booleans, byte sequences, dates, display strings.
 */
const NOT_A_STRING = /^(-?\d+(\.\d+)?|\?[01]|:.*:|@-?\d+|%".*")$/;
/** A key without quotes: a UUID, or anything else that cannot be mistaken for a list. */
const BARE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]+$/;

/**
 * Reads the `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header-07 section 2.1: an
 * Item of type String). A key without quotes is the same key, unless `strict`. Parameters of the
 * item are ignored, as the draft says.
 *
 * @param lines the header's lines as they came: a second one is a mistake, not a list
 * @returns `undefined`: there is none
 * @throws {AgentOnceError} `key.invalid`; the key itself is not repeated
 */
export function readIdempotencyKey(lines: readonly string[], strict = false): string | undefined {
  const [line, ...more] = lines;
  if (line === undefined) return undefined;
  if (more.length > 0) throw refuse('is there more than once');
  const text = line.trim();
  const key = text.startsWith('"') ? quoted(text) : bare(text, strict);
  assertKey(key);
  return key;
}

/** The header's lines as they were sent: Node joins repeated ones. */
export function keyLinesOf({ rawHeaders }: { rawHeaders: readonly string[] }): string[] {
  return rawHeaders.filter(
    (_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'idempotency-key',
  );
}

/** Lines of a header that Node reads where nothing else is set. */
const LINES_READ = 1_000;

/**
 * Whether lines of a header may have been left out: Node reads so many and is silent about more.
 *
 * @param maxHeadersCount of the server; 0: all are read
 */
export function mayHaveUnseenLines(
  rawHeaders: readonly string[],
  maxHeadersCount: number | null = null,
): boolean {
  const read = maxHeadersCount ?? LINES_READ;
  return read > 0 && rawHeaders.length >= 2 * read;
}

function quoted(text: string): string {
  let value: unknown;
  try {
    [value] = parseItem(text);
  } catch {
    throw refuse('is no quoted string (RFC 9651 section 3.3.3), or more than one');
  }
  if (typeof value === 'string') return value;
  throw refuse('is no quoted string (RFC 9651 section 3.3.3)');
}

function bare(text: string, strict: boolean): string {
  if (strict) throw refuse('must stand in double quotes');
  const [value = '', ...parameters] = text.split(';');
  const key = value.trim();
  if (key === '') throw refuse('is empty');
  if (NOT_A_STRING.test(key)) {
    throw refuse('is a number, a boolean or another type that is no string; put it in quotes');
  }
  if (!BARE.test(key)) {
    throw refuse('has a character that only a key in double quotes may have, or is a list');
  }
  // Parameters must be parsable; what they say changes nothing.
  if (parameters.length > 0) {
    try {
      parseItem(`"";${parameters.join(';')}`);
    } catch {
      throw refuse('has parameters that cannot be read');
    }
  }
  return key;
}

function refuse(problem: string): AgentOnceError {
  return new AgentOnceError(
    'key.invalid',
    `The Idempotency-Key header ${problem}. Send one key of 1 to 255 printable ASCII characters in double quotes, such as "8e03978e-40d5-43dd-bc93-6894a57f9324". Nothing was started.`,
  );
}
