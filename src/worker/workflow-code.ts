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
const ROOT = path.dirname(SRC);
const FAILURES = path.join(SRC, 'workflows', `failure-converter${path.extname(HERE)}`);
const RELATIVE_IMPORT = /\b(?:from|import)\b[\s(]*['"](\.[^'"]+)['"]/g;

/**
 * The workflows' bundle: in a build the one that `npm run build` made, in a checkout one that is
 * made once per state of the sources (it takes seconds) and remembered in `.cache`. Where nothing can
 * be written it is made each time.
 *
 * @param app the app's folder, whose `workflows/index.ts` exports the engine's workflows and its own;
 *   absent, or without that file: the engine's alone
 */
export async function workflowBundle(app?: string): Promise<WorkflowBundleOption> {
  const built = path.join(SRC, 'workflow-bundle.js');
  if (!HERE.endsWith('.ts') && existsSync(built)) return { codePath: built };

  const cache = path.join(ROOT, '.cache');
  const codePath = path.join(cache, `${REMEMBERED}${await hashOf(entryOf(app))}.js`);
  if (!existsSync(codePath)) {
    const { code } = await bundleWorkflows(app);
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
export async function bundleWorkflows(app?: string): Promise<{ code: string }> {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const logger = new DefaultLogger('WARN');
  return bundleWorkflowCode({
    workflowsPath: entryOf(app),
    failureConverterPath: FAILURES,
    logger,
  });
}

function entryOf(app: string | undefined): string {
  const entry = (folder: string) => path.join(folder, 'workflows', `index${path.extname(HERE)}`);
  return app !== undefined && existsSync(entry(app)) ? entry(app) : entry(SRC);
}

/** Of every file that the bundle is made of; of packages, their versions. */
async function hashOf(entry: string): Promise<string> {
  const hash = createHash('sha256');
  const lock = path.join(ROOT, 'package-lock.json');
  if (existsSync(lock)) hash.update(await readFile(lock));
  for (const [file, source] of await importedBy(FAILURES, await importedBy(entry))) {
    hash.update(`${path.relative(ROOT, file)}\0${source}\0`);
  }
  return hash.digest('hex').slice(0, 32);
}

/** @returns the file and all that it imports by a relative path, with their text */
async function importedBy(file: string, found = new Map<string, string>()) {
  // What only looks like an import, in a comment, names no file.
  const source = found.has(file) ? undefined : await readFile(file, 'utf8').catch(() => undefined);
  if (source === undefined) return found;
  found.set(file, source);
  for (const [, specifier = ''] of source.matchAll(RELATIVE_IMPORT)) {
    await importedBy(path.resolve(path.dirname(file), specifier), found);
  }
  return found;
}
