import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { JsonValue } from '../contract/json.ts';

const zip = promisify(gzip);
const unzip = promisify(gunzip);

/** Below this, gzip's own bytes and time are not worth it. */
const COMPRESS_FROM_BYTES = 2048;

export interface Payload {
  /** JSON text, or its gzip: that begins with 0x1f, which no JSON text does. */
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
  return { data, bytes: text.length };
}

export async function decodePayload(data: Buffer): Promise<JsonValue> {
  const text = data[0] === 0x1f ? await unzip(data) : data;
  return JSON.parse(text.toString('utf8')) as JsonValue;
}
