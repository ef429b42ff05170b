import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { AgentOnceError } from '../../../contract/errors.ts';
import type { Script } from './script.ts';

/**
 * Loads the scripts of a folder: every module in it exports one as `script`. Loaded by path, so
 * that the folder can be deleted; without it there are none.
 *
 * @param folder default: `examples/scripted-model` of this project
 * @throws {AgentOnceError} `part.failed`: a module cannot be loaded or has no script
 */
export async function loadScripts(
  folder = join(projectRoot(), 'examples', 'scripted-model'),
): Promise<Script[]> {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => /\.m?[jt]s$/.test(name));
  return Promise.all(files.sort().map((name) => loadScript(join(folder, name))));
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

/** Nearest folder above that has a package.json: the same from `src` and from `dist`. */
function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) {
    folder = dirname(folder);
  }
  return folder;
}
