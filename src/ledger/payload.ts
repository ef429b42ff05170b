import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { JsonValue } from '../contract/json.ts';

const zip = promisify(gzip);
const unzip = promisify(gunzip);

/** Below this, gzip's own bytes and time are not worth it. */
const COMPRESS_FROM_BYTES = 2048;

/** Encrypts what a ledger holds; what was never encrypted it leaves alone when it opens it. */
export interface Sealer {
  seal(plain: Buffer): Buffer;
  /** @throws {AgentOnceError} `payload.unreadable` */
  open(bytes: Buffer): Buffer;
  sealText(plain: string): string;
  /** For people alone: where the key is missing, it says so. */
  openText(text: string): string;
}

const same = <T>(value: T): T => value;
/** Encrypts nothing. */
export const PLAIN: Sealer = { seal: same, open: same, sealText: same, openText: same };
/** What encrypts in this process; asked each time. */
export const sealing = { sealer: (): Sealer => PLAIN };

export interface Payload {
  /** JSON text, or its gzip: that begins with 0x1f, which no JSON text does. Either may be sealed. */
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
  return { data: sealing.sealer().seal(data), bytes: text.length };
}

/** @throws {AgentOnceError} `payload.unreadable` */
export async function decodePayload(sealed: Buffer): Promise<JsonValue> {
  const data = sealing.sealer().open(sealed);
  const text = data[0] === 0x1f ? await unzip(data) : data;
  return JSON.parse(text.toString('utf8')) as JsonValue;
}
