import { optionsOrExit, printReport, SCRIPT_OPTIONS, wholeNumber } from './script-options.ts';
import { createProgress } from './script-progress.ts';

/** What a script can be told that does to a system of its own what a seed says. */
export interface SeededOptions {
  seed: number;
  /** Folder to keep data and output in; absent: a temporary one. */
  keep: string | undefined;
  json: boolean;
}

interface SeededScript<Options extends SeededOptions, Report> {
  /** As a sentence begins with it: `The fuzz`. */
  name: string;
  usage: string;
  /** @throws {RangeError} for what is wrong with the options */
  read: (args: readonly string[]) => Options | 'help';
  /** What the same seed makes the same, and what it does not; `again` is the option that gives it. */
  sameSeed: (again: string) => string;
  run: (options: Options, tell: (line: string) => void, signal: AbortSignal) => Promise<Report>;
  draw: (report: Report) => string;
  /** Whether the process ends with exit code 0, or with 1. */
  isGood: (report: Report) => boolean;
}

/** What `readSeeded` reads, for `parseArgs`. */
export const SEEDED_OPTIONS = {
  seed: { type: 'string' },
  keep: { type: 'string' },
  ...SCRIPT_OPTIONS,
} as const;

/** The last lines of a usage. */
export const SEEDED_USAGE = `\
  --keep FOLDER    keeps the servers' data and the workers' output there
  --json           one JSON document on stdout, the report on stderr
`;

/** @throws {RangeError} for a seed that is no whole number */
export function readSeeded(values: {
  seed?: string | undefined;
  keep?: string | undefined;
  json: boolean;
}): SeededOptions {
  const { seed, keep, json } = values;
  return {
    seed: seed === undefined ? Math.floor(Math.random() * 2 ** 31) : wholeNumber('--seed', seed, 0),
    keep,
    json,
  };
}

/** Runs until the end, SIGINT or SIGTERM, prints the report, and ends the process. */
export async function runSeededScript<Options extends SeededOptions, Report>(
  script: SeededScript<Options, Report>,
): Promise<never> {
  const options = optionsOrExit(script.read, script.usage);
  const stopping = new AbortController();
  let exitCode: number | undefined;
  for (const [name, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(name, () => {
      exitCode ??= code;
      // What is cut off now may fail where nobody awaits it any more.
      process.on('unhandledRejection', () => undefined);
      process.on('uncaughtException', () => undefined);
      stopping.abort(new Error('Interrupted.'));
    });
  }

  const progress = createProgress(process.stderr);
  progress.tell(`Seed ${options.seed}: ${script.sameSeed(`--seed ${options.seed}`)}`);
  if (process.stderr.isTTY) process.stderr.write('\n');
  try {
    const report = await script.run(options, progress.tell, stopping.signal);
    progress.end();
    printReport(report, script.draw(report), options.json);
    exitCode ??= script.isGood(report) ? 0 : 1;
  } catch (error) {
    progress.end();
    if (exitCode === undefined) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.stderr.write(`${script.name} could not do its work: ${message}\n`);
    }
    exitCode ??= 1;
  }
  process.exit(exitCode);
}
