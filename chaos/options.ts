import { parseArgs } from 'node:util';
import { parsed, wholeNumber } from './script-options.ts';
import { readSeeded, SEEDED_OPTIONS, SEEDED_USAGE, type SeededOptions } from './seeded-script.ts';
import { parseFault, type Fault } from './faults.ts';

export interface ChaosOptions extends SeededOptions {
  /** Requests, each started several times. More are made if the faults need more to happen in. */
  runs: number;
  /** Workers that are killed; everything else in proportion. */
  kills: number;
  /** Exactly these in the place of planned ones. */
  faults: Fault[] | undefined;
  /** Worker processes at work. */
  workers: number;
  /** Runs under way at once. */
  concurrency: number;
  /** Path of the module with the tools. */
  scenario: string | undefined;
}

export const USAGE = `npm run chaos -- [options]

  --runs N         requests, each started several times                 (100)
  --kills N        workers that are killed; other faults in proportion   (20)
  --seed N         of the schedule; printed                             (random)
  --faults A,B     these faults, and no others: kill, after-effect:charge,
                   zombie:note, overlap:note, cut:postgres,
                   silence:postgres, delay:temporal, restart:temporal …
  --workers N      worker processes at work, besides two that are made
                   to die at fault points                              (2)
  --concurrency N  runs under way at once                                (16)
  --scenario FILE  a module with tools of your own: see chaos/README.md
${SEEDED_USAGE}
Exit codes: 0 every promise was kept, 1 one was not, 2 an option is wrong.
`;

const OPTIONS = {
  runs: { type: 'string', default: '100' },
  kills: { type: 'string', default: '20' },
  faults: { type: 'string' },
  workers: { type: 'string', default: '2' },
  concurrency: { type: 'string', default: '16' },
  scenario: { type: 'string' },
  ...SEEDED_OPTIONS,
} as const;

/** @throws {RangeError} for what is no option, no whole number, or no fault */
export function readOptions(args: readonly string[]): ChaosOptions | 'help' {
  const { values } = parsed(() => parseArgs({ args: [...args], options: OPTIONS }));
  if (values.help) return 'help';
  const faults = values.faults?.split(',').filter((text) => text !== '');
  return {
    runs: wholeNumber('--runs', values.runs, 1),
    kills: wholeNumber('--kills', values.kills, 0),
    faults: faults?.map(parseFault),
    workers: wholeNumber('--workers', values.workers, 1),
    concurrency: wholeNumber('--concurrency', values.concurrency, 1),
    scenario: values.scenario,
    ...readSeeded(values),
  };
}
