import { parseArgs } from 'node:util';
import { wholeNumber } from '../src/dev/script-options.ts';

export interface BenchOptions {
  /** Times that every figure is measured. */
  repetitions: number;
  /** Runs of each one after the other, in a repetition. */
  runs: number;
  /** Runs that are under way at once where runs per second are measured. */
  concurrency: number;
  /** Duplicates in a repetition. */
  duplicates: number;
  /** How long the model takes for an answer: everything is measured for each. */
  modelMs: number[];
  json: boolean;
}

export const USAGE = `npm run bench -- [options]

  --repetitions N   times that every figure is measured        (5)
  --runs N          runs one after the other in a repetition   (10)
  --concurrency N   runs at once for runs per second           (20)
  --duplicates N    duplicates in a repetition                 (100)
  --model-ms N,N    how long the model takes for an answer     (0,300)
  --json            one JSON document on stdout, the table on stderr
`;

/** @throws {RangeError} for what is no option or no whole number */
export function readOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  return {
    repetitions: wholeNumber('--repetitions', values.repetitions, 1),
    runs: wholeNumber('--runs', values.runs, 1),
    concurrency: wholeNumber('--concurrency', values.concurrency, 1),
    duplicates: wholeNumber('--duplicates', values.duplicates, 1),
    modelMs: values['model-ms'].split(',').map((text) => wholeNumber('--model-ms', text, 0)),
    json: values.json,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        repetitions: { type: 'string', default: '5' },
        runs: { type: 'string', default: '10' },
        concurrency: { type: 'string', default: '20' },
        duplicates: { type: 'string', default: '100' },
        'model-ms': { type: 'string', default: '0,300' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new RangeError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
