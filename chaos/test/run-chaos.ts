import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Report } from '../report.ts';
import { ROOT } from '../../test/structure/checkout-copy.ts';
import { PROGRAM_NET_MS } from '../../test/support/nets.ts';
import { within } from '../../test/support/within.ts';

const started: ChildProcess[] = [];

/** Ends those that a test has given up waiting for. */
export function stopChaos(): void {
  for (const child of started.splice(0)) child.kill('SIGINT');
}

export function startChaos(args: string, env: Record<string, string> = {}): ChildProcess {
  const child = spawn(
    process.execPath,
    ['--import', './bin/register-typescript.js', 'chaos/main.ts', '--json', ...args.split(' ')],
    { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  started.push(child);
  return child;
}

export async function chaos(
  args: string,
  env: Record<string, string> = {},
): Promise<{ code: unknown; report: Report; text: string }> {
  const child = startChaos(args, env);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr?.on('data', (chunk) => (stderr += String(chunk)));
  const [code] = (await within(
    once(child, 'close'),
    () => `the crash kit ended. It wrote:\n${stderr}`,
    PROGRAM_NET_MS,
  )) as unknown[];
  if (stdout === '') throw new Error(`The crash kit gave no report:\n${stderr}`);
  return { code, report: JSON.parse(stdout) as Report, text: stderr };
}
