import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { CACHE_DIR } from '../../../dev/paths.ts';

const REQUIREMENTS = path.join(import.meta.dirname, 'requirements.txt');

/** How schemathesis is run. */
export interface Schemathesis {
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
}

/**
 * Finds the pinned schemathesis in the cache, or installs it there.
 *
 * @throws {Error} what is missing, and what to do
 */
export function installSchemathesis(say: (line: string) => void): Schemathesis {
  const wanted = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12);
  const folder = path.join(CACHE_DIR, `schemathesis-${wanted}`);
  const installed = [inVenv(folder), inTarget(folder)].find(works);
  if (installed) return installed;
  requirePython();
  say('installing schemathesis from PyPI; the first time takes some seconds');
  rmSync(folder, { recursive: true, force: true });
  const made = makeVenv(folder) ?? makeTarget(folder);
  if (made && works(made)) return made;
  rmSync(folder, { recursive: true, force: true });
  throw new Error(
    'schemathesis could not be installed; pip says above why. It needs PyPI, and Python 3.10 or newer with venv or pip (on Debian and Ubuntu: apt-get install python3-venv).',
  );
}

function requirePython(): void {
  const code = 'import sys; sys.exit(sys.version_info < (3, 10))';
  const { error, status } = spawnSync('python3', ['-c', code]);
  if (error) {
    throw new Error(
      'python3 was not found. This check needs Python 3.10 or newer with venv or pip (on Debian and Ubuntu: apt-get install python3-venv); no other one does.',
    );
  }
  if (status !== 0) throw new Error('This check needs Python 3.10 or newer, and python3 is older.');
}

function makeVenv(folder: string): Schemathesis | undefined {
  if (!run('python3', ['-m', 'venv', folder])) return undefined;
  const found = inVenv(folder);
  return run(found.command, ['-m', 'pip', ...INSTALL]) ? found : undefined;
}

/** Where Python comes without venv, as on a bare Debian. */
function makeTarget(folder: string): Schemathesis | undefined {
  rmSync(folder, { recursive: true, force: true });
  return run('python3', ['-m', 'pip', ...INSTALL, '--target', folder])
    ? inTarget(folder)
    : undefined;
}

const INSTALL = ['install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS];
const CALL = ['-m', 'schemathesis.cli'];

function inVenv(folder: string): Schemathesis {
  const command = path.join(folder, 'bin', 'python3');
  return { command, args: CALL, env: {} };
}

function inTarget(folder: string): Schemathesis {
  return { command: 'python3', args: CALL, env: { PYTHONPATH: folder } };
}

function works({ command, args, env }: Schemathesis): boolean {
  if (command !== 'python3' && !existsSync(command)) return false;
  const { status } = spawnSync(command, [...args, '--version'], {
    env: { ...process.env, ...env },
  });
  return status === 0;
}

/** Whether it worked. What it says goes to stderr. */
function run(command: string, args: readonly string[]): boolean {
  const { status } = spawnSync(command, args, {
    stdio: ['ignore', process.stderr, process.stderr],
  });
  return status === 0;
}
