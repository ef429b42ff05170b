/** `npm run bench`: what keys and the ledger cost, against a plain workflow of the same shape. */
import { readOptions, USAGE, type BenchOptions } from './options.ts';
import { drawReport } from './report.ts';
import { runBench } from './run-bench.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function optionsOrExit(): BenchOptions {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options !== 'help') return options;
    process.stdout.write(USAGE);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    say(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

const options = optionsOrExit();
const report = await runBench(options, say);
const table = drawReport(report);
if (options.json) {
  process.stdout.write(`${JSON.stringify(report)}\n`);
  say(table);
} else {
  process.stdout.write(`${table}\n`);
}
