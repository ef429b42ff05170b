import { parseArgs } from 'node:util';
import { parsed, wholeNumber } from '../chaos/script-options.ts';
import {
  readSeeded,
  SEEDED_OPTIONS,
  SEEDED_USAGE,
  type SeededOptions,
} from '../chaos/seeded-script.ts';

export interface FuzzOptions extends SeededOptions {
  /** How long the processes go on. */
  seconds: number;
  processes: number;
  keys: number;
  workers: number;
  /** Seconds between two SIGKILLs of a worker, which is started again; 0: none is killed. */
  killEvery: number;
  /** Seconds without any run ending after which the rest counts as stuck. */
  settle: number;
}

export const USAGE = `npm run fuzz -- [options]

  --seconds N      how long the processes go on                        (180)
  --seed N         of what they do; printed                         (random)
  --processes N    client processes: HTTP, TypeScript client, command    (8)
  --keys N         keys that they fight over                             (5)
  --workers N      worker processes                                      (2)
  --kill-every N   a worker is killed and started again every N seconds  (0: never)
  --settle N       seconds in which some run must end at the end       (120)
${SEEDED_USAGE}
Exit codes: 0 nothing was found, 1 something was, 2 an option is wrong.
`;

const OPTIONS = {
  seconds: { type: 'string', default: '180' },
  processes: { type: 'string', default: '8' },
  keys: { type: 'string', default: '5' },
  workers: { type: 'string', default: '2' },
  'kill-every': { type: 'string', default: '0' },
  settle: { type: 'string', default: '120' },
  ...SEEDED_OPTIONS,
} as const;

/** @throws {RangeError} for what is no option, or no whole number */
export function readOptions(args: readonly string[]): FuzzOptions | 'help' {
  const { values } = parsed(() => parseArgs({ args: [...args], options: OPTIONS }));
  if (values.help) return 'help';
  return {
    seconds: wholeNumber('--seconds', values.seconds, 1),
    processes: wholeNumber('--processes', values.processes, 1),
    keys: wholeNumber('--keys', values.keys, 1),
    workers: wholeNumber('--workers', values.workers, 0),
    killEvery: wholeNumber('--kill-every', values['kill-every'], 0),
    settle: wholeNumber('--settle', values.settle, 1),
    ...readSeeded(values),
  };
}
