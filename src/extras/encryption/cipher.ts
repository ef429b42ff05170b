import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { AgentOnceError } from '../../contract/errors.ts';
import { KEYS, type Keys } from './keys.ts';

/** What sealed bytes begin with: neither JSON text nor gzip does. */
export const SEALED = 0xae;
const CIPHER = 'aes-256-gcm';
const VERSION = 1;
/** Before the key's ID: what begins all that is sealed, the version, the length of the ID. */
const FIXED_BYTES = 3;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NOTHING_LOST = 'Nothing was lost: with the right keys it can be read';

export interface Cipher {
  /** Encrypts with the first key. */
  seal(plain: Buffer): Buffer;
  /** @throws {AgentOnceError} `payload.unreadable` */
  open(sealed: Buffer): Buffer;
}

/**
 * AES-256-GCM. Sealed bytes are a header (`SEALED`, version, length of the key's ID, the ID), a random
 * nonce, what is encrypted, and the tag, which covers the header too.
 */
export function createCipher({ byId, first }: Keys): Cipher {
  return {
    seal(plain) {
      if (!first) throw new Error('There is no key to encrypt with.');
      const { id, key } = first;
      const header = Buffer.concat([
        Buffer.from([SEALED, VERSION, id.length]),
        Buffer.from(id, 'latin1'),
      ]);
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce).setAAD(header);
      const sealed = [cipher.update(plain), cipher.final()];
      return Buffer.concat([header, nonce, ...sealed, cipher.getAuthTag()]);
    },
    open(sealed) {
      const nonceAt = FIXED_BYTES + (sealed[2] ?? 0);
      const textAt = nonceAt + NONCE_BYTES;
      const tagAt = sealed.length - TAG_BYTES;
      if (sealed[0] !== SEALED || sealed[1] !== VERSION || tagAt < textAt) {
        throw unreadable('Something encrypted is cut, or was made by another version.');
      }
      const id = sealed.toString('latin1', FIXED_BYTES, nonceAt).replaceAll(/[^\w.-]/g, '?');
      const key = byId.get(id);
      if (!key) {
        const not = byId.size === 0 ? 'is not set' : 'does not have it';
        throw unreadable(`Something is encrypted with the key "${id}", and ${KEYS} ${not}.`);
      }
      const nonce = sealed.subarray(nonceAt, textAt);
      try {
        const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
          .setAAD(sealed.subarray(0, nonceAt))
          .setAuthTag(sealed.subarray(tagAt));
        return Buffer.concat([decipher.update(sealed.subarray(textAt, tagAt)), decipher.final()]);
      } catch {
        throw unreadable(
          `Something encrypted with a key "${id}" cannot be decrypted: ${KEYS} has another key under this ID, or somebody changed what was encrypted.`,
        );
      }
    },
  };
}

function unreadable(what: string): AgentOnceError {
  return new AgentOnceError(
    'payload.unreadable',
    `${what} ${NOTHING_LOST}. Set ${KEYS} to the keys of the workers, and repeat it; see docs/encryption.md.`,
  );
}
