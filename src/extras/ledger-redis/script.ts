import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A Lua script, and the hash by which a server that has seen it knows it. */
export interface Script {
  text: string;
  sha1: string;
}

const FOLDER = new URL('./scripts/', import.meta.url);
const PRELUDE = readFileSync(new URL('prelude.lua', FOLDER), 'utf8');

/** Loads `scripts/{name}.lua`, with the prelude before it. */
export function loadScript(name: string): Script {
  const text = `${PRELUDE}\n${readFileSync(new URL(`${name}.lua`, FOLDER), 'utf8')}`;
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}
