import { gunzipSync } from 'node:zlib';

/** Texts by where they were found: `history`, `ledger` … Others may be added: logs, metrics, traces. */
export type Named = Record<string, string>;

/** Every text and all bytes of a value, also as they are when unzipped or out of base64. */
export function textOf(value: unknown): string {
  const texts: string[] = [];
  const collect = (each: unknown): void => {
    if (each instanceof Uint8Array) texts.push(...readings(Buffer.from(each)));
    else if (typeof each === 'string') {
      texts.push(each);
      // Texts that are the base64 of something.
      if (/^[\w+/=:-]{16,}$/.test(each)) texts.push(...readings(Buffer.from(each, 'base64')));
    } else if (typeof each === 'object' && each !== null) {
      for (const [name, field] of Object.entries(each)) {
        texts.push(name);
        collect(field);
      }
    }
  };
  collect(value);
  return texts.join('\n');
}

function readings(bytes: Buffer): string[] {
  const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return [bytes.toString('latin1'), ...(zipped ? [gunzipSync(bytes).toString('latin1')] : [])];
}

/** Where each secret was found: `planted-input` → `['history', 'ledger']`. */
export function find(secrets: readonly string[], named: Named): Record<string, string[]> {
  const places = (secret: string): string[] =>
    Object.entries(named).flatMap(([name, text]) => (text.includes(secret) ? [name] : []));
  return Object.fromEntries(secrets.map((secret) => [secret, places(secret)]));
}
