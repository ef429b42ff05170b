/** `npm run fuzz`: lets processes fight over a few keys, and looks for what must never be. */
import { runSeededScript } from '../chaos/seeded-script.ts';
import { readOptions, USAGE } from './options.ts';
import { drawFuzzReport } from './report.ts';
import { runFuzz } from './run-fuzz.ts';

await runSeededScript({
  name: 'The fuzz',
  usage: USAGE,
  read: readOptions,
  sameSeed: (again) =>
    `each process does the same things in the same order with ${again}; how they meet differs each time.`,
  run: runFuzz,
  draw: drawFuzzReport,
  isGood: (report) => report.clean,
});
