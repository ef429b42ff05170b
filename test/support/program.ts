import path from 'node:path';
import { pathToFileURL } from 'node:url';

const HERE = import.meta.dirname;
const LOADER = pathToFileURL(path.resolve(HERE, '../../bin/register-typescript.js')).href;

/**
 * A program of this folder, as `fork` and `spawn` take it.
 *
 * @param name of the file, without its extension
 */
export function program(name: string): { execArgv: string[]; file: string } {
  const compiled = process.env['TEST_COMPILED'];
  return compiled === undefined
    ? { execArgv: ['--import', LOADER], file: path.join(HERE, `${name}.ts`) }
    : { execArgv: [], file: path.join(compiled, 'test/support', `${name}.mjs`) };
}
