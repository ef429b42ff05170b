import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AgentOnceError } from '../../../contract/errors.ts';
import { PROJECT_ROOT } from '../paths.ts';
import type { Script } from './script.ts';

/** The app's own, and the example's. */
const FOLDERS = ['src/app/scripted-model', 'examples/scripted-model'];

/**
 * Loads the scripts of a folder: every module in it exports one as `script`. Loaded by path, so
 * that the folder can be deleted; without it there are none.
 *
 * @param folder default: `FOLDERS` of this project
 * @throws {AgentOnceError} `part.failed`: a module cannot be loaded or has no script
 */
export async function loadScripts(folder?: string): Promise<Script[]> {
  const folders = folder === undefined ? FOLDERS.map((each) => join(PROJECT_ROOT, each)) : [folder];
  const files = folders
    .filter((each) => existsSync(each))
    .flatMap((each) =>
      readdirSync(each)
        .sort()
        .map((name) => join(each, name)),
    )
    .filter((file) => /(?<!\.test|\.d)\.m?[jt]s$/.test(file));
  return Promise.all(files.map(loadScript));
}

async function loadScript(path: string): Promise<Script> {
  let loaded: { script?: Script };
  try {
    loaded = (await import(pathToFileURL(path).href)) as { script?: Script };
  } catch (error) {
    throw new AgentOnceError(
      'part.failed',
      `The scripted model cannot load ${path}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  if (loaded.script === undefined) {
    throw new AgentOnceError('part.failed', `${path} exports no \`script\`.`);
  }
  return loaded.script;
}
