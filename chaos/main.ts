/** `npm run chaos`: torments a system of its own, and counts whether every promise was kept. */
import { runSeededScript } from './seeded-script.ts';
import { readOptions, USAGE } from './options.ts';
import { drawReport } from './report.ts';
import { runChaos } from './run-chaos.ts';

await runSeededScript({
  name: 'The crash kit',
  usage: USAGE,
  read: readOptions,
  sameSeed: (again) =>
    `the same faults in the same order with ${again}; how they meet the runs differs each time.`,
  run: runChaos,
  draw: drawReport,
  isGood: (report) => report.clean && !report.stuck,
});
