import path from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = path.resolve(import.meta.dirname, '../..');
const LOADER = pathToFileURL(path.join(ROOT, 'bin/register-typescript.js')).href;

/**
 * A program of the tests, as `fork` and `spawn` take it.
 *
 * @param name of the file, from the repository's root, without its extension
 */
export function program(name: string): { execArgv: string[]; file: string } {
  const compiled = process.env['TEST_COMPILED'];
  return compiled === undefined
    ? { execArgv: ['--import', LOADER], file: path.join(ROOT, `${name}.ts`) }
    : { execArgv: [], file: path.join(compiled, `${name}.mjs`) };
}
