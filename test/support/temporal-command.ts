import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findTemporalCli } from '../../src/extras/dev/temporal-cli.ts';

const run = promisify(execFile);

/**
 * Runs a command line of Temporal's own program, without quotes in it.
 *
 * @param env names server and namespace
 * @returns what it printed
 * @throws with what it printed, where it failed
 */
export async function temporalCommand(line: string, env: Record<string, string>): Promise<string> {
  const [program, ...args] = line.split(' ');
  if (program !== 'temporal') throw new Error(`No command of Temporal: ${line}`);
  const { stdout } = await run(await findTemporalCli(), args, {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
  });
  return stdout;
}
