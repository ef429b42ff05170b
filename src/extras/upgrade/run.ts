import { spawnSync } from 'node:child_process';
import { AgentOnceError } from '../../contract/errors.ts';

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end. */
export function run(program: string, args: readonly string[], cwd: string): Ran {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    // There `npm` is a script.
    shell: program === 'npm' && process.platform === 'win32',
  });
  return { code: status, stdout: stdout ?? '', stderr: error ? error.message : stderr };
}

/** @throws {AgentOnceError} `part.failed`, with what git said */
export function git(cwd: string, ...args: string[]): string {
  const { code, stdout, stderr } = run('git', args, cwd);
  if (code !== 0) throw new AgentOnceError('part.failed', `git: ${(stderr || stdout).trim()}`);
  return stdout.trimEnd();
}

/** For commits of the branch `agent-once`, which no person writes: without a name, signature or hook. */
export const NOBODY = [
  '-c',
  'user.name=agent-once',
  '-c',
  'user.email=agent-once@localhost',
  '-c',
  'commit.gpgsign=false',
  '-c',
  'core.hooksPath=/dev/null',
];

/** Brings the lock file in line with `package.json`; packages that are in it keep their versions. */
export function lock(folder: string, ...options: string[]): Ran {
  const args = ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'];
  return run('npm', [...args, ...options], folder);
}
