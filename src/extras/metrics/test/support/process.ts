import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { program } from '../../../../../test/support/program.ts';
import { eventually } from '../../../../../test/support/eventually.ts';

/** A process of the command that tells its metrics. */
export interface MeasuredProcess {
  /** What it wrote on stderr that the pattern finds, once it is there. */
  told(pattern: RegExp): Promise<string>;
  /** What it tells who scrapes it. */
  scrape(): Promise<string>;
  /** What it tells the second time: what is new is told as 0 once. */
  scrapeTwice(): Promise<string>;
  /** Asks it to stop, and waits. */
  stop(): Promise<void>;
}

/** Starts a command with the agents of the tests' workers, at any free port. */
export function startMeasured(args: string[], env: Record<string, string>): MeasuredProcess {
  const { execArgv, file } = program('test/support/cli-main');
  const child = spawn(process.execPath, [...execArgv, file, ...args], {
    env: {
      PATH: process.env['PATH'] ?? '',
      TEST_AGENTS: 'of workers',
      AGENT_ONCE_METRICS_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let wrote = '';
  child.stderr.on('data', (chunk) => (wrote += String(chunk)));
  const ended = once(child, 'exit');
  const told = (pattern: RegExp): Promise<string> =>
    eventually(
      () => {
        const [, found] = pattern.exec(wrote) ?? [];
        if (found === undefined) throw new Error(`Not told yet: ${pattern}`);
        return found;
      },
      () => wrote,
    );
  const scrape = async (): Promise<string> => {
    const response = await fetch(await told(/Metrics are at (http:\S+\/metrics)/));
    return response.text();
  };
  return {
    told,
    scrape,
    async scrapeTwice() {
      await scrape();
      return scrape();
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
}
