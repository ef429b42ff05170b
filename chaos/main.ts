/** `npm run chaos`: torments a system of its own, and counts whether every promise was kept. */
import { optionsOrExit } from '../src/dev/script-options.ts';
import { readOptions, USAGE } from './options.ts';
import { createProgress } from './progress.ts';
import { drawReport } from './report.ts';
import { runChaos } from './run-chaos.ts';

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
  `Seed ${options.seed}: the same faults in the same order with --seed ${options.seed}; how they meet the runs differs each time.`,
);
if (process.stderr.isTTY) process.stderr.write('\n');
try {
  const report = await runChaos(options, progress.tell, stopping.signal);
  progress.end();
  const text = drawReport(report);
  if (options.json) {
    process.stdout.write(`${JSON.stringify(report)}\n`);
    process.stderr.write(`${text}\n`);
  } else {
    process.stdout.write(`${text}\n`);
  }
  exitCode ??= report.clean && !report.stuck ? 0 : 1;
} catch (error) {
  progress.end();
  if (exitCode === undefined) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`The crash kit could not do its work: ${message}\n`);
  }
  exitCode ??= 1;
}
process.exit(exitCode);
