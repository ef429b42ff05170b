import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunningCli {
  child: ChildProcess;
  /** What it wrote on stderr so far. */
  stderr(): string;
  ended: Promise<CliResult>;
}

const BIN = fileURLToPath(new URL('../../bin/agent-once.js', import.meta.url));
const LOADER = new URL('../../bin/register-typescript.js', import.meta.url).href;
const MAIN = fileURLToPath(new URL('./cli-main.ts', import.meta.url));

/** Runs the command with a test's own agents, `assistant` and `clerk`. */
export function startCli(
  args: string[],
  env: Record<string, string> = {},
  stdin: string | Buffer = '',
): RunningCli {
  return run(['--import', LOADER, MAIN, ...args], env, stdin);
}

export function runCommand(
  args: string[],
  env?: Record<string, string>,
  stdin?: string | Buffer,
): Promise<CliResult> {
  return startCli(args, env, stdin).ended;
}

/** Runs `bin/agent-once.js` itself. */
export function runBin(args: string[], env: Record<string, string> = {}): Promise<CliResult> {
  return run([BIN, ...args], env, '').ended;
}

function run(args: string[], env: Record<string, string>, stdin: string | Buffer): RunningCli {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: 'pipe',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  // It may end before it has read all of it.
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const ended = once(child, 'close').then(([code]) => ({
    code: code as number | null,
    stdout,
    stderr,
  }));
  return { child, stderr: () => stderr, ended };
}
