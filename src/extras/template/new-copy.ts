import fs from 'node:fs';
import path from 'node:path';
import { AgentOnceError } from '../../contract/errors.ts';
import { git, NOBODY } from '../upgrade/run.ts';
import { generate, type Written } from '../upgrade/generate.ts';

/**
 * Writes a copy, and commits it: on the branch `agent-once`, where upgrades come, and `main` from it.
 *
 * @param root of this template
 * @throws {AgentOnceError} `usage`: the folder is not empty, or there is no such extra; nothing was
 *   written then. `part.failed`: git or npm failed, and what was written is gone again
 */
export function newCopy(
  root: string,
  folder: string,
  choices: { extras: readonly string[]; example: boolean },
): Written & { name: string } {
  const target = path.resolve(folder);
  const wasThere = fs.existsSync(target);
  if (wasThere && !isEmptyFolder(target)) {
    throw new AgentOnceError(
      'usage',
      `${folder} is not an empty folder. Nothing was written: name an empty one, or one that there is not yet.`,
    );
  }
  fs.mkdirSync(target, { recursive: true });
  const name = packageNameOf(target);
  try {
    const written = generate(root, { ...choices, name, folder: target });
    git(target, 'init', '--quiet', '--initial-branch=agent-once');
    git(target, 'add', '--all');
    git(target, ...NOBODY, 'commit', '--quiet', '-m', `agent-once ${written.version}`);
    git(target, 'switch', '--quiet', '--create', 'main');
    return { name, ...written };
  } catch (error) {
    for (const entry of fs.readdirSync(target)) {
      fs.rmSync(path.join(target, entry), { recursive: true, force: true });
    }
    if (!wasThere) fs.rmdirSync(target);
    throw error;
  }
}

function isEmptyFolder(folder: string): boolean {
  return fs.statSync(folder).isDirectory() && fs.readdirSync(folder).length === 0;
}

/** A name that npm and Docker take, from a folder's. */
export function packageNameOf(folder: string): string {
  const name = path
    .basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return name === '' ? 'my-agents' : name;
}
