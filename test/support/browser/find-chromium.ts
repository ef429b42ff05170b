import path from 'node:path';
import { readText } from '../../../src/env.ts';
import { AgentOnceError } from '../../../src/contract/errors.ts';
import { isExecutable } from '../../../src/extras/dev/temporal-cli.ts';

/** Where to look. The defaults are the environment's and the system's. */
export interface ChromiumPlaces {
  /** `CHROMIUM_PATH`; nothing else is looked at if it is set. */
  configured?: string | undefined;
  /** Folders separated by `:`, as in `PATH`. */
  searchPath?: string | undefined;
  /** Files to look at when it is not on the path. */
  files?: readonly string[];
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const FILES = [
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/**
 * Finds Chromium or Chrome without installing anything: `CHROMIUM_PATH`, the PATH, the usual places.
 *
 * @returns its absolute path; `undefined` if it is nowhere
 * @throws {AgentOnceError} `config.invalid` if `CHROMIUM_PATH` names no program
 */
export async function findChromium(places: ChromiumPlaces = {}): Promise<string | undefined> {
  const configured = 'configured' in places ? places.configured : readText('CHROMIUM_PATH');
  if (configured !== undefined) {
    if (await isExecutable(configured)) return path.resolve(configured);
    // A wrong setting is no reason to take another program than the one asked for.
    throw new AgentOnceError(
      'config.invalid',
      `CHROMIUM_PATH is set, but is not an executable file: ${configured}. Set it to the path of ` +
        'Chromium or Chrome, or unset it, so that the program is looked for.',
    );
  }
  // PATH belongs to the operating system; it is not a setting of this program.
  const searchPath = 'searchPath' in places ? places.searchPath : process.env['PATH'];
  const folders = (searchPath ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const onPath = NAMES.flatMap((name) => folders.map((folder) => path.resolve(folder, name)));
  for (const candidate of [...onPath, ...(places.files ?? FILES)]) {
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}
