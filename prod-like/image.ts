import { execFile } from 'node:child_process';
import { cp, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { PROJECT_ROOT } from '../src/extras/dev/paths.ts';

/** What the Dockerfile says of an image's containers. */
export interface ImageSettings {
  environment: Record<string, string>;
  /** Paths in them are those of the image. */
  entrypoint: string[];
  healthCheck: string[];
}

/** Where the Dockerfile puts the program. */
const APP = '/app/';

const Words = z.array(z.string()).min(1);

/**
 * Reads of the last stage what a container of it has.
 *
 * @throws {Error} a line is missing, or is not in the form of a JSON array
 */
export function readDockerfile(text: string): ImageSettings {
  const last = text.slice(text.lastIndexOf('\nFROM '));
  const words = (line: RegExp): string[] => Words.parse(JSON.parse(line.exec(last)?.[1] ?? 'null'));
  const pairs = [...last.matchAll(/^ENV (.+)$/gm)].flatMap(([, line = '']) => line.split(' '));
  return {
    environment: Object.fromEntries(
      pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    ),
    entrypoint: words(/^ENTRYPOINT (\[.*\])$/m),
    healthCheck: words(/^HEALTHCHECK [^]*?CMD (\[.*\])$/m),
  };
}

/** A folder with what is in the image: the command and what was built, without sources. */
export interface Image extends ImageSettings {
  /** A path of the image, as it is here. */
  place: (word: string) => string;
}

/** Builds it. The folder lies in the checkout, whose packages are found from there. */
export async function buildImage(folder: string): Promise<Image> {
  const app = path.join(folder, 'app');
  await mkdir(app, { recursive: true });
  for (const each of ['package.json', 'bin']) {
    await cp(path.join(PROJECT_ROOT, each), path.join(app, each), { recursive: true });
  }
  const build = ['scripts/build.mjs', '--out-dir', path.join(app, 'dist')];
  await promisify(execFile)(process.execPath, build, { cwd: PROJECT_ROOT });
  const settings = readDockerfile(await readFile(path.join(PROJECT_ROOT, 'Dockerfile'), 'utf8'));
  return {
    ...settings,
    place: (word) => (word.startsWith(APP) ? path.join(app, word.slice(APP.length)) : word),
  };
}
