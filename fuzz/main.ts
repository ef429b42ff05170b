/** `npm run fuzz`: lets processes fight over a few keys, and looks for what must never be. */
import { createProgress } from '../chaos/progress.ts';
import { optionsOrExit } from '../src/dev/script-options.ts';
import { readOptions, USAGE } from './options.ts';
import { drawFuzzReport } from './report.ts';
import { runFuzz } from './run-fuzz.ts';

const options = optionsOrExit(readOptions, USAGE);
const stopping = new AbortController();
let exitCode: number | undefined;
for (const [name, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(name, () => {
    exitCode ??= code;
    stopping.abort(new Error('Interrupted.'));
  });
}

const progress = createProgress(process.stderr);
progress.tell(
  `Seed ${options.seed}: each process does the same things in the same order with --seed ${options.seed}; how they meet differs each time.`,
);
if (process.stderr.isTTY) process.stderr.write('\n');
try {
  const report = await runFuzz(options, progress.tell, stopping.signal);
  progress.end();
  const text = drawFuzzReport(report);
  if (options.json) {
    process.stdout.write(`${JSON.stringify(report)}\n`);
    process.stderr.write(`${text}\n`);
  } else {
    process.stdout.write(`${text}\n`);
  }
  exitCode ??= report.clean ? 0 : 1;
} catch (error) {
  progress.end();
  if (exitCode === undefined) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`The fuzz could not do its work: ${message}\n`);
  }
  exitCode ??= 1;
}
process.exit(exitCode);
