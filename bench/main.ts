/** `npm run bench`: what keys and the ledger cost, against a plain workflow of the same shape. */
import { optionsOrExit, printReport } from '../chaos/script-options.ts';
import { readOptions, USAGE } from './options.ts';
import { drawReport } from './report.ts';
import { runBench } from './run-bench.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const options = optionsOrExit(readOptions, USAGE);
const report = await runBench(options, say);
printReport(report, drawReport(report), options.json);
