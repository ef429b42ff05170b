import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ROOT } from '../../../test/structure/checkout-copy.ts';
import { PROGRAM_NET_MS } from '../../../test/support/nets.ts';

/** Runs the benchmark in a process of its own. */
export function bench(args: string): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(
    process.execPath,
    ['--import', './bin/register-typescript.js', 'bench/main.ts', ...args.split(' ')],
    { cwd: ROOT, timeout: PROGRAM_NET_MS },
  );
}
