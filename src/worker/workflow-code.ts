import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkflowBundleOption } from '@temporalio/worker';

const HERE = fileURLToPath(import.meta.url);
const REMEMBERED = 'workflow-bundle-';
const DAY_MS = 24 * 60 * 60 * 1_000;
const SRC = path.resolve(path.dirname(HERE), '..');

/**
 * The workflows' bundle: in a build the one that `npm run build` made, in a checkout one that is
 * made once per state of the sources (it takes seconds) and remembered in `.cache`. Where nothing can
 * be written it is made each time.
 */
export async function workflowBundle(): Promise<WorkflowBundleOption> {
  const built = path.join(SRC, 'workflow-bundle.js');
  if (!HERE.endsWith('.ts') && existsSync(built)) return { codePath: built };

  const cache = path.resolve(SRC, '../.cache');
  const codePath = path.join(cache, `${REMEMBERED}${(await sourcesHash()).slice(0, 32)}.js`);
  if (!existsSync(codePath)) {
    const { code } = await bundleWorkflows();
    if (!(await remember(cache, codePath, code))) return { code };
  }
  return { codePath };
}

/** @returns whether it is there */
async function remember(cache: string, codePath: string, code: string): Promise<boolean> {
  // Written aside and renamed: another worker may be starting.
  const aside = `${codePath}.${process.pid}`;
  try {
    await mkdir(cache, { recursive: true });
    await writeFile(aside, code);
    await rename(aside, codePath);
    await forgetOld(cache);
    return true;
  } catch {
    // A disk that is read-only or full. Half a file is of no use.
    await rm(aside, { force: true }).catch(() => {});
    return existsSync(codePath);
  }
}

/** Of sources that have changed since; not those of today, which another worker may be reading. */
async function forgetOld(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith(REMEMBERED)) continue;
    const file = path.join(cache, name);
    // Another worker that has just started may have been quicker.
    const made = (await stat(file).catch(() => undefined))?.mtimeMs ?? Date.now();
    if (Date.now() - made > DAY_MS) await rm(file, { force: true });
  }
}

/** Bundles the workflows from their sources, in a checkout or in a build. */
export async function bundleWorkflows(): Promise<{ code: string }> {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const entry = `index${path.extname(HERE)}`;
  return bundleWorkflowCode({
    workflowsPath: path.join(SRC, 'workflows', entry),
    logger: new DefaultLogger('WARN'),
  });
}

async function sourcesHash(): Promise<string> {
  const hash = createHash('sha256');
  const sdk = path.resolve(SRC, '../node_modules/@temporalio/workflow/package.json');
  if (existsSync(sdk)) hash.update(await readFile(sdk));
  for (const room of ['contract', 'workflows']) {
    for (const file of (await readdir(path.join(SRC, room))).sort()) {
      hash.update(`${room}/${file}\0`).update(await readFile(path.join(SRC, room, file)));
    }
  }
  return hash.digest('hex');
}
