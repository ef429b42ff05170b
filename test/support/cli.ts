import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PROGRAM_NET_MS } from './nets.ts';
import { program } from './program.ts';
import { within } from './within.ts';

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

/** Runs the command with a test's own agents, `assistant` and `clerk`. */
export function startCli(
  args: string[],
  env: Record<string, string> = {},
  stdin: string | Buffer = '',
): RunningCli {
  return run([...main(), ...args], env, stdin);
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

function main(): string[] {
  const { execArgv, file } = program('test/support/cli-main');
  return [...execArgv, file];
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
  const ended = within(
    once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr })),
    () => `the command ended: ${args.slice(1).join(' ')}\nIt wrote:\n${stdout}${stderr}`,
    PROGRAM_NET_MS,
  );
  return { child, stderr: () => stderr, ended };
}

/**
 * Runs the command on a terminal of its own, and types when it asks.
 *
 * @param typed sent once the output has `when` in it, by default a question
 */
export async function onTerminal(
  args: string[],
  env: Record<string, string>,
  typed: string,
  when = '[y/N] ',
): Promise<{ code: number | null; output: string }> {
  const words = [process.execPath, ...main(), ...args];
  const command = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  // `script` of util-linux: every Debian has it.
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { PATH: process.env['PATH'] ?? '', TERM: 'dumb', ...env },
    stdio: 'pipe',
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
    if (output.includes(when)) child.stdin.end(typed);
  });
  const [code] = (await within(
    once(child, 'close'),
    () => `the command ended: ${args.join(' ')}\nIt wrote:\n${output}`,
  )) as [number | null];
  return { code, output };
}
