import { parseArgs } from 'node:util';
import { parsed, SCRIPT_OPTIONS, wholeNumber } from '../chaos/script-options.ts';

const PARTS = [
  'runs',
  'http',
  'counts',
  'waiting',
  'storm',
  'long',
  'many',
  'ledger',
  'recovery',
] as const;
/** The others take long. */
const DEFAULT_PARTS = ['runs', 'http'];
export type Part = (typeof PARTS)[number];

export interface BenchOptions {
  /** What is measured. */
  parts: readonly Part[];
  /** Runs of each before anything is measured. */
  warmUp: number;
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
  /** HTTP requests of a kind to each, in a repetition. */
  requests: number;
  /** HTTP connections where more than one is used. */
  connections: number;
  /** Replays after which it is seen what the HTTP service holds; 0: none. */
  replays: number;
  /** How long the model takes for an answer while a run's writes and requests are counted. */
  countedModelMs: number[];
  /** Runs that wait for the model at once: until all are done, and with a model that holds them. */
  waiting: { runs: number; modelMs: number; heldRuns: number; heldMs: number };
  /** Callers of one new key at once. */
  callers: number;
  /** Clients that these share: everything is measured for each. */
  clients: number[];
  /** Model calls on a long conversation. */
  turns: number;
  /** Runs that wait for one worker. */
  backlog: number;
  /** Steps in the large ledger; the small one has a thousandth. */
  rows: number;
  /** Workers killed in each kind of step, of each. */
  kills: number;
  json: boolean;
  /** A folder that a picture of each part is written to. */
  picture?: string | undefined;
  /** A report that was measured before, as JSON: nothing is measured. */
  from?: string | undefined;
}

export const USAGE = `npm run bench -- [options]

  --part NAME       one of ${PARTS.join(', ')};
                    may be repeated                            (runs, http)
  --warm-up N       runs of each before anything is measured   (400)
  --repetitions N   times that every figure is measured        (5)
  --runs N          runs one after the other in a repetition   (10)
  --concurrency N   runs at once for runs per second           (20)
  --duplicates N    duplicates in a repetition                 (100)
  --model-ms N,N    how long the model takes for an answer     (0,300)
  --requests N      HTTP requests of a kind in a repetition    (200)
  --connections N   HTTP connections, where not one            (10)
  --replays N       HTTP replays, for the memory; 0: none      (100000)
  --counted-model-ms N,N  the same where writes and requests are counted  (0,30000)
  --waiting-runs N        runs that wait for the model at once            (300)
  --waiting-model-ms N    how long it takes for each of their two answers (10000)
  --held-runs N           runs of one worker that wait and do nothing     (1000)
  --held-ms N             how long it is looked what that costs           (30000)
  --callers N       callers of one new key at once             (100)
  --clients N,N     clients, of a connection each, of these    (1,10)
  --turns N         long: model calls                          (100)
  --backlog N       many: runs that wait for one worker        (10000)
  --rows N          ledger: steps in the large one             (5000000)
  --kills N         recovery: workers killed in a kind of step (30)
  --json            one JSON document on stdout, the table on stderr
  --picture FOLDER  writes a picture of each part there (SVG)
  --from FILE       measures nothing: takes the JSON of an earlier run
`;

const OPTIONS = {
  part: { type: 'string', multiple: true, default: DEFAULT_PARTS },
  'warm-up': { type: 'string', default: '400' },
  repetitions: { type: 'string', default: '5' },
  runs: { type: 'string', default: '10' },
  concurrency: { type: 'string', default: '20' },
  duplicates: { type: 'string', default: '100' },
  'model-ms': { type: 'string', default: '0,300' },
  requests: { type: 'string', default: '200' },
  connections: { type: 'string', default: '10' },
  replays: { type: 'string', default: '100000' },
  'counted-model-ms': { type: 'string', default: '0,30000' },
  'waiting-runs': { type: 'string', default: '300' },
  'waiting-model-ms': { type: 'string', default: '10000' },
  'held-runs': { type: 'string', default: '1000' },
  'held-ms': { type: 'string', default: '30000' },
  picture: { type: 'string' },
  from: { type: 'string' },
  callers: { type: 'string', default: '100' },
  clients: { type: 'string', default: '1,10' },
  turns: { type: 'string', default: '100' },
  backlog: { type: 'string', default: '10000' },
  rows: { type: 'string', default: '5000000' },
  kills: { type: 'string', default: '30' },
  ...SCRIPT_OPTIONS,
} as const;

/** @throws {RangeError} for what is no option or no whole number */
export function readOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values } = parsed(() => parseArgs({ args: [...args], options: OPTIONS }));
  if (values.help) return 'help';
  return {
    parts: values.part.map(partNamed),
    warmUp: wholeNumber('--warm-up', values['warm-up'], 1),
    repetitions: wholeNumber('--repetitions', values.repetitions, 1),
    runs: wholeNumber('--runs', values.runs, 1),
    concurrency: wholeNumber('--concurrency', values.concurrency, 1),
    duplicates: wholeNumber('--duplicates', values.duplicates, 1),
    modelMs: wholeNumbers('--model-ms', values['model-ms']),
    requests: wholeNumber('--requests', values.requests, 1),
    connections: wholeNumber('--connections', values.connections, 2),
    replays: wholeNumber('--replays', values.replays, 0),
    countedModelMs: wholeNumbers('--counted-model-ms', values['counted-model-ms']),
    waiting: {
      runs: wholeNumber('--waiting-runs', values['waiting-runs'], 1),
      modelMs: wholeNumber('--waiting-model-ms', values['waiting-model-ms'], 1),
      heldRuns: wholeNumber('--held-runs', values['held-runs'], 1),
      heldMs: wholeNumber('--held-ms', values['held-ms'], 1),
    },
    callers: wholeNumber('--callers', values.callers, 2),
    clients: values.clients.split(',').map((text) => wholeNumber('--clients', text, 1)),
    turns: wholeNumber('--turns', values.turns, 6),
    backlog: wholeNumber('--backlog', values.backlog, 10),
    rows: wholeNumber('--rows', values.rows, 10_000),
    kills: wholeNumber('--kills', values.kills, 1),
    json: values.json,
    picture: values.picture,
    from: values.from,
  };
}

function wholeNumbers(name: string, list: string): number[] {
  return list.split(',').map((text) => wholeNumber(name, text, 0));
}

function partNamed(name: string): Part {
  const found = PARTS.find((part) => part === name);
  if (found === undefined) throw new RangeError(`--part is one of ${PARTS.join(', ')}.`);
  return found;
}
