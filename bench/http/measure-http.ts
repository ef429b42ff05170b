import { createPair, type Pair } from '../measure.ts';
import { rowOf, type Row } from '../row.ts';
import type { BenchServers } from '../servers.ts';
import { median } from '../statistics.ts';
import { sendMany, type HttpCase, type Target } from './load.ts';
import { difference, requestsToTemporal } from './requests-to-temporal.ts';

export interface HttpOptions {
  repetitions: number;
  /** Requests of a kind to each, in a repetition, one after the other. */
  requests: number;
  /** Connections where more than one is used. */
  connections: number;
}

/** Requests of one of the two before it is the other's turn. */
const AT_A_TIME = 25;
/** Requests of a kind by which it is checked what each sends to Temporal. */
const COUNTED = 10;

/** Latency of each kind, over one connection and over several. */
export async function measureHttp(
  servers: BenchServers,
  targets: readonly Target[],
  cases: readonly HttpCase[],
  options: HttpOptions,
  tell: (line: string) => void,
): Promise<Row[]> {
  const { repetitions, requests, connections } = options;
  tell('HTTP: warming up …');
  for (const each of cases) {
    for (const target of targets) await sendMany(target, each, { amount: requests, connections });
    await sendTheSame(servers, targets, each);
  }
  const figures = [1, connections].flatMap((over) =>
    cases.map((each) => ({ each, over, values: createPair() })),
  );
  for (let repetition = 1; repetition <= repetitions; repetition += 1) {
    tell(`HTTP: repetition ${repetition} of ${repetitions} …`);
    for (const { each, over, values } of figures) {
      await measureInTurns(targets, each, { amount: requests, connections: over }, values);
    }
  }
  return figures.map(({ each, over, values }) =>
    rowOf(null, over === 1 ? each.what : `${each.what}, ${over} at once`, 'ms', values),
  );
}

/** One repetition: bursts to both in turns, the medians of which are added to `into`. */
async function measureInTurns(
  targets: readonly Target[],
  each: HttpCase,
  { amount, connections }: { amount: number; connections: number },
  into: Pair,
): Promise<void> {
  const times = createPair();
  // The first one of each connection does not count.
  const burst = { amount: Math.max(Math.min(AT_A_TIME, amount), 2) * connections, connections };
  for (let sent = 0, turn = 0; sent < amount; sent += burst.amount, turn += 1) {
    for (const target of turn % 2 === 0 ? targets : targets.toReversed()) {
      times[target.name].push(...(await sendMany(target, each, burst)));
    }
  }
  into.ours.push(median(times.ours));
  into.plain.push(median(times.plain));
}

/** Only what sends Temporal the same can be compared; Temporal itself counts. */
async function sendTheSame(
  { metricsUrl }: BenchServers,
  targets: readonly Target[],
  each: HttpCase,
): Promise<void> {
  const sent: string[] = [];
  let before = await requestsToTemporal(metricsUrl);
  for (const target of targets) {
    await sendMany(target, each, { amount: COUNTED, connections: 1 });
    const after = await requestsToTemporal(metricsUrl);
    sent.push(difference(before, after));
    before = after;
  }
  const [ours, plain] = sent;
  if (ours !== undefined && ours !== '' && ours === plain) return;
  throw new Error(
    `For ${COUNTED} requests (${each.what}) Temporal got from ours: ${ours || 'nothing'}; from the bare route: ${plain || 'nothing'}.`,
  );
}
