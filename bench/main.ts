/** `npm run bench`: what keys and the ledger cost, against a plain workflow of the same shape. */
import { readFile } from 'node:fs/promises';
import { optionsOrExit, printReport } from '../chaos/script-options.ts';
import { readOptions, USAGE } from './options.ts';
import { drawReport, type Report } from './report.ts';
import { runBench } from './run-bench.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const options = optionsOrExit(readOptions, USAGE);
const report =
  options.from === undefined
    ? await runBench(options, say)
    : (JSON.parse(await readFile(options.from, 'utf8')) as Report);
printReport(report, drawReport(report), options.json);
if (options.picture !== undefined) {
  const { writePictures } = await import('./pictures/write-pictures.ts');
  for (const file of await writePictures(report, options.picture)) say(`Drawn: ${file}`);
}
