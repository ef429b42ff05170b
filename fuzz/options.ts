import { parseArgs } from 'node:util';
import { wholeNumber } from '../src/dev/script-options.ts';

export interface FuzzOptions {
  /** How long the processes go on. */
  seconds: number;
  seed: number;
  processes: number;
  keys: number;
  workers: number;
  /** Seconds between two SIGKILLs of a worker, which is started again; 0: none is killed. */
  killEvery: number;
  /** Seconds without any run ending after which the rest counts as stuck. */
  settle: number;
  /** Folder to keep data and output in; absent: a temporary one. */
  keep: string | undefined;
  json: boolean;
}

export const USAGE = `npm run fuzz -- [options]

  --seconds N      how long the processes go on                        (180)
  --seed N         of what they do; printed                         (random)
  --processes N    client processes: HTTP, TypeScript client, command    (8)
  --keys N         keys that they fight over                             (5)
  --workers N      worker processes                                      (2)
  --kill-every N   a worker is killed and started again every N seconds  (0: never)
  --settle N       seconds in which some run must end at the end       (120)
  --keep FOLDER    keeps the servers' data and the workers' output there
  --json           one JSON document on stdout, the report on stderr

Exit codes: 0 nothing was found, 1 something was, 2 an option is wrong.
`;

const NUMBERS = {
  seconds: { type: 'string', default: '180' },
  processes: { type: 'string', default: '8' },
  keys: { type: 'string', default: '5' },
  workers: { type: 'string', default: '2' },
  'kill-every': { type: 'string', default: '0' },
  settle: { type: 'string', default: '120' },
} as const;

/** @throws {RangeError} for what is no option, or no whole number */
export function readOptions(args: readonly string[]): FuzzOptions | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  const { seed } = values;
  return {
    seconds: wholeNumber('--seconds', values.seconds, 1),
    seed: seed === undefined ? Math.floor(Math.random() * 2 ** 31) : wholeNumber('--seed', seed, 0),
    processes: wholeNumber('--processes', values.processes, 1),
    keys: wholeNumber('--keys', values.keys, 1),
    workers: wholeNumber('--workers', values.workers, 0),
    killEvery: wholeNumber('--kill-every', values['kill-every'], 0),
    settle: wholeNumber('--settle', values.settle, 1),
    keep: values.keep,
    json: values.json,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...NUMBERS,
        seed: { type: 'string' },
        keep: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new RangeError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
