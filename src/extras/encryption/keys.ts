import { createSecretKey, type KeyObject } from 'node:crypto';
import { invalidSetting, readText } from '../../env.ts';

/** The setting with the keys. */
export const KEYS = 'AGENT_ONCE_ENCRYPTION_KEYS';

const ID = /^[\w.-]{1,64}$/;
/** 32 bytes, in either alphabet of base64. */
const KEY = /^[A-Za-z0-9+/_-]{43}=?$/;

/** In the place of the first key: nothing is encrypted yet, or any more. */
const PLAIN = 'plain';

export interface Keys {
  /** All decrypt. */
  byId: ReadonlyMap<string, KeyObject>;
  /** Encrypts; absent: nothing does. */
  first?: { id: string; key: KeyObject };
}

let read: { text: string | undefined; keys: Keys } | undefined;

/**
 * The keys of `AGENT_ONCE_ENCRYPTION_KEYS`, by ID; none where it is not set.
 *
 * @throws {AgentOnceError} `config.invalid`, without any part of a key
 */
export function readKeys(): Keys {
  const text = readText(KEYS);
  if (read === undefined || read.text !== text) read = { text, keys: parseKeys(text ?? '') };
  return read.keys;
}

function parseKeys(text: string): Keys {
  const keys = new Map<string, KeyObject>();
  const entries = text === '' ? [] : text.split(',');
  const isPlain = entries[0]?.trim() === PLAIN;
  for (const [index, entry] of entries.entries()) {
    if (index === 0 && isPlain) continue;
    const where = `is wrong at its entry ${index + 1}:`;
    const [id = '', key = '', more] = entry.trim().split(':');
    if (more !== undefined || !entry.includes(':')) {
      throw invalidSetting(KEYS, `${where} an entry is an ID, a colon and a key`);
    }
    if (!ID.test(id)) {
      throw invalidSetting(KEYS, `${where} an ID is 1 to 64 letters, digits, dots, dashes or _`);
    }
    if (!KEY.test(key)) throw invalidSetting(KEYS, `${where} a key is 32 bytes in base64`);
    if (keys.has(id)) throw invalidSetting(KEYS, `${where} its ID stands there before`);
    keys.set(id, createSecretKey(Buffer.from(key, 'base64')));
  }
  const [first] = isPlain ? [] : keys;
  return first ? { byId: keys, first: { id: first[0], key: first[1] } } : { byId: keys };
}
