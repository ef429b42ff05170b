import type { Sealer } from '../../ledger/payload.ts';
import { createCipher, SEALED } from './cipher.ts';
import type { Keys } from './keys.ts';

/** What a sealed text begins with; the rest is base64. */
const SEALED_TEXT = 'sealed:';
/** Words of a person may begin in the same way. */
const SEALED_FORM = /^sealed:[A-Za-z0-9+/]{40,}={0,2}$/;

/** For the ledger: without a first key it seals nothing, and what was not sealed it leaves alone. */
export function createSealer(keys: Keys): Sealer {
  const cipher = createCipher(keys);
  const seals = keys.first !== undefined;
  return {
    seal: (plain) => (seals ? cipher.seal(plain) : plain),
    open: (bytes) => (bytes[0] === SEALED ? cipher.open(bytes) : bytes),
    sealText: (plain) =>
      seals ? SEALED_TEXT + cipher.seal(Buffer.from(plain)).toString('base64') : plain,
    openText(text) {
      if (!SEALED_FORM.test(text)) return text;
      try {
        return cipher.open(Buffer.from(text.slice(SEALED_TEXT.length), 'base64')).toString();
      } catch {
        return '(encrypted with a key that this process does not have)';
      }
    },
  };
}
