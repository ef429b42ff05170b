import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { readCommandLine } from '../leftover.ts';
import { PROJECT_ROOT } from '../paths.ts';
import { NET_MS, PROGRAM_NET_MS } from '../../../../test/support/nets.ts';
import { within } from '../../../../test/support/within.ts';

/** Waits for a condition; fails with its description. */
export async function waitUntil(
  what: string,
  condition: () => Promise<boolean> | boolean,
): Promise<void> {
  const deadline = Date.now() + NET_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited ${NET_MS / 1_000} s in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export async function waitUntilGone(pid: number): Promise<void> {
  await waitUntil(`process ${pid} is gone`, async () => (await readCommandLine(pid)) === undefined);
}

/** A folder that every user may enter, and what removes it. */
export async function makeFolder(): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-dev-test-'));
  await chmod(folder, 0o755);
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A process of a test, with what it printed. */
export interface Spawned {
  process: ChildProcess;
  pid: number;
  /** The first line on stdout; fails if it ends, or goes on for too long, without one. */
  firstLine: Promise<string>;
  stdout(): string;
  stderr(): string;
  /** Resolves when it has ended, with its exit code. */
  ended: Promise<number | null>;
}

/** Starts a process of Node in the project's root. */
export function spawnNode(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Spawned {
  const child = spawn(process.execPath, args, {
    cwd: PROJECT_ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const ended = within(
    new Promise<number | null>((resolve) => child.once('close', resolve)),
    () => `${args.join(' ')} ended. It wrote:\n${stdout}${stderr}`,
    PROGRAM_NET_MS,
  );
  const firstLine = new Promise<string>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`No line within ${NET_MS / 1_000} s: ${stderr}`)),
      NET_MS,
    );
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(timer);
      resolve(line);
    });
    void ended.then((code) => {
      clearTimeout(timer);
      reject(new Error(`Ended with ${code} without a line: ${stderr}`));
    });
  });
  // Whoever does not ask for it does not want its failure either.
  firstLine.catch(() => undefined);
  return {
    process: child,
    pid: child.pid ?? 0,
    firstLine,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
  };
}

/** Starts a server in a process of its own, which the test may kill. */
export async function holdServer<T>(
  kind: 'temporal' | 'postgres' | 'stubborn',
  options: object = {},
): Promise<{ parent: Spawned; server: T & { pid: number } }> {
  const fixture = path.join('src', 'extras', 'dev', 'test', 'fixtures', 'hold-server.ts');
  const parent = spawnNode([
    '--import',
    './bin/register-typescript.js',
    fixture,
    kind,
    JSON.stringify(options),
  ]);
  return { parent, server: JSON.parse(await parent.firstLine) as T & { pid: number } };
}

/** Every process of the machine that has a command line. */
export async function listProcesses(): Promise<{ pid: number; command: string }[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,args='], {
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout
    .split('\n')
    .map((line) => /^\s*(\d+) (.*)$/.exec(line))
    .flatMap((match) => (match ? [{ pid: Number(match[1]), command: match[2] ?? '' }] : []));
}
