import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { AgentOnceError } from '../contract/errors.ts';
import type { JsonValue } from '../contract/json.ts';

const zip = promisify(gzip);
const unzip = promisify(gunzip);

/** Below this, gzip's own bytes and time are not worth it. */
const COMPRESS_FROM_BYTES = 2048;

/** Encrypts what a ledger holds, and decrypts it. */
export interface Sealer {
  /** @returns bytes that begin with `SEALED` */
  seal(plain: Buffer): Buffer;
  /** @throws {AgentOnceError} `payload.unreadable` */
  open(sealed: Buffer): Buffer;
}

/** What sealed bytes begin with: neither JSON text nor gzip does. */
export const SEALED = 0xae;
const SEALED_TEXT = 'sealed:';

let sealerOf: () => Sealer | undefined = () => undefined;

/** @param get asked each time; `undefined`: what is written stays plain */
export function registerSealer(get: typeof sealerOf): void {
  sealerOf = get;
}

export interface Payload {
  /** JSON text, or its gzip, which begins with 0x1f, as no JSON text does; or either of them sealed. */
  data: Buffer;
  /** Size of the JSON text. */
  bytes: number;
}

/**
 * JSON as a ledger keeps it: bytes, since PostgreSQL's text and jsonb refuse null characters, and
 * Lua's JSON rounds numbers.
 */
export async function encodePayload(value: JsonValue): Promise<Payload> {
  const text = Buffer.from(JSON.stringify(value), 'utf8');
  const data = text.length < COMPRESS_FROM_BYTES ? text : await zip(text);
  return { data: sealerOf()?.seal(data) ?? data, bytes: text.length };
}

/** @throws {AgentOnceError} `payload.unreadable` */
export async function decodePayload(data: Buffer): Promise<JsonValue> {
  const bytes = data[0] === SEALED ? open(data) : data;
  const text = bytes[0] === 0x1f ? await unzip(bytes) : bytes;
  return JSON.parse(text.toString('utf8')) as JsonValue;
}

/** A text that people read, such as a comment, as a ledger keeps it. */
export function sealText(text: string): string {
  const sealed = sealerOf()?.seal(Buffer.from(text, 'utf8'));
  return sealed ? SEALED_TEXT + sealed.toString('base64') : text;
}

/** The same text again; nothing depends on it, so one that cannot be read is no error. */
export function openText(text: string): string {
  if (!text.startsWith(SEALED_TEXT)) return text;
  try {
    return open(Buffer.from(text.slice(SEALED_TEXT.length), 'base64')).toString('utf8');
  } catch {
    return '(encrypted with a key that this process does not have)';
  }
}

function open(sealed: Buffer): Buffer {
  const sealer = sealerOf();
  if (sealer) return sealer.open(sealed);
  throw new AgentOnceError(
    'payload.unreadable',
    'The ledger holds encrypted records, and this process has no keys. Nothing was lost. Give it the keys of the workers, and repeat it.',
  );
}
