import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { createCipher } from './cipher.ts';
import type { Keys } from './keys.ts';

const zip = promisify(gzip);
const unzip = promisify(gunzip);

/** As Temporal's own examples name it. */
const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
/** Below this, gzip's own bytes and time are not worth it. */
const COMPRESS_FROM_BYTES = 2048;
/** Between a payload's metadata, as JSON on one line, and its data. */
const NEWLINE = 0x0a;
const GZIP = 0x1f;

/**
 * Compresses payloads that are large, and encrypts them whole, with their metadata. Without a first key it
 * leaves all as it is; what is not encrypted is left alone when it is read.
 */
export function createCodec(keys: Keys): PayloadCodec {
  const cipher = createCipher(keys);
  const { first } = keys;
  return {
    async encode(payloads) {
      if (!first) return payloads;
      return Promise.all(
        payloads.map(async (payload) => {
          const plain = serialize(payload);
          const packed = plain.length < COMPRESS_FROM_BYTES ? plain : await zip(plain);
          const metadata = { encoding: Buffer.from(ENCODING), [KEY_ID]: Buffer.from(first.id) };
          return { metadata, data: cipher.seal(packed) };
        }),
      );
    },
    async decode(payloads) {
      return Promise.all(
        payloads.map(async (payload) => {
          const { encoding } = payload.metadata ?? {};
          if (!encoding || Buffer.from(encoding).toString() !== ENCODING) return payload;
          const packed = cipher.open(Buffer.from(payload.data ?? []));
          return deserialize(packed[0] === GZIP ? await unzip(packed) : packed);
        }),
      );
    },
  };
}

function serialize({ metadata, data }: Payload): Buffer {
  const names = Object.entries(metadata ?? {}).map(([name, value]) => [
    name,
    Buffer.from(value).toString('base64'),
  ]);
  const head = JSON.stringify(Object.fromEntries(names));
  // Of a payload without data, as of `undefined`, the library gives an empty array.
  return Buffer.concat([Buffer.from(head), Buffer.from([NEWLINE]), Buffer.from(data ?? [])]);
}

function deserialize(plain: Buffer): Payload {
  const end = plain.indexOf(NEWLINE);
  const head = JSON.parse(plain.toString('utf8', 0, end)) as Record<string, string>;
  const names = Object.entries(head).map(([name, value]) => [name, Buffer.from(value, 'base64')]);
  return { metadata: Object.fromEntries(names), data: plain.subarray(end + 1) };
}
