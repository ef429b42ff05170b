import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = path.resolve(import.meta.dirname, '../..');
const ROOMS = ['src', 'examples', 'test/support'].filter((room) =>
  existsSync(path.join(ROOT, room)),
);
/** In the specifiers of imports alone: other strings name files that are read or started. */
const TYPESCRIPT_SPECIFIER = /(\bfrom\s*|\bimport\s*\(?\s*)(["'])(\.[^"']*)\.ts\2/g;

/**
 * Compiles the sources into a folder of this repository, for the hundreds of processes that the
 * tests start: on Node 20 module hooks are a third of a process's start. What it compiled believes
 * that it is where its source is, and finds the files there.
 *
 * @returns the folder; `undefined` where Node runs TypeScript by itself
 */
export async function compileSources(): Promise<string | undefined> {
  if ('typescript' in process.features && process.features.typescript) return undefined;
  const target = path.join(ROOT, '.cache', `tests-${process.pid}`);
  await rm(target, { recursive: true, force: true });
  for (const room of ROOMS) {
    for (const file of await readdir(path.join(ROOT, room), { recursive: true })) {
      if (file.endsWith('.ts')) await compileFile(path.join(room, file), target);
    }
  }
  return target;
}

async function compileFile(file: string, target: string): Promise<void> {
  const { transform } = await import('@swc/core');
  const source = path.join(ROOT, file);
  const { code } = await transform(await readFile(source, 'utf8'), {
    filename: source,
    swcrc: false,
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript' },
      transform: { verbatimModuleSyntax: true },
    },
    module: { type: 'es6' },
  });
  // Not `.js`: a command that is one says in its messages how it was called.
  const compiled = path.join(target, file.replace(/\.ts$/, '.mjs'));
  await mkdir(path.dirname(compiled), { recursive: true });
  await writeFile(
    compiled,
    code
      .replaceAll(TYPESCRIPT_SPECIFIER, '$1$2$3.mjs$2')
      .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(source).href))
      .replaceAll('import.meta.dirname', JSON.stringify(path.dirname(source))),
  );
}
