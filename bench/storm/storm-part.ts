import type { Client } from '@temporalio/client';
import { connect } from '../../src/client/connect.ts';
import { requestsToTemporal } from '../http/requests-to-temporal.ts';
import { countedBetween, type Counts } from '../temporal-metrics.ts';
import { createPair, type Pair } from '../measure.ts';
import { rowOf, type Row } from '../row.ts';
import type { BenchServers } from '../servers.ts';
import { MODEL_CALLS, TOOL_CALLS } from '../shape.ts';
import { measureNewcomers } from './duplicates.ts';
import { createOursStorm, createPlainStorm, type Storm } from './storms.ts';

export interface StormOptions {
  repetitions: number;
  /** Callers of one new key at once. */
  callers: number;
  /** How many clients they share, each with a connection of its own: measured for each. */
  clients: readonly number[];
  duplicates: number;
}

/** Storms of each before anything is measured. */
const WARM_UP = 10;

/**
 * Many callers who start one new key at once and wait for its end, and duplicates of clients that are
 * new to a key.
 *
 * @throws if a storm makes more than one run, or not all are told the same
 */
export async function stormPart(
  servers: BenchServers,
  temporal: Client,
  options: StormOptions,
  tell: (line: string) => void,
): Promise<Row[]> {
  const rows: Row[] = [];
  await servers.setModelDelay(0);
  for (const clients of options.clients) {
    const connections = await Promise.all(Array.from({ length: clients }, () => connect()));
    try {
      const temporals = connections.map((each) => each.temporal);
      const storms = [createOursStorm(temporals), createPlainStorm(temporals)] as const;
      rows.push(...(await measureStorms(servers, storms, clients, options, tell)));
    } finally {
      await Promise.all(connections.map((each) => each.close()));
    }
  }
  tell('Duplicates of clients that are new to the key …');
  const newcomers = await measureNewcomers(temporal, options);
  rows.push(rowOf(null, 'a duplicate by a new client, against its requests bare', 'ms', newcomers));
  return rows;
}

async function measureStorms(
  servers: BenchServers,
  storms: readonly [Storm, Storm],
  clients: number,
  { callers, repetitions }: StormOptions,
  tell: (line: string) => void,
): Promise<Row[]> {
  const what = `${callers} callers of a new key, ${clients === 1 ? 'one client' : `${clients} clients`}`;
  tell(`${what}: warming up, and counting requests …`);
  const [ours, plain] = [await countRequests(storms[0]), await countRequests(storms[1])];
  const times = createPair();
  for (let repetition = 1; repetition <= repetitions; repetition += 1) {
    tell(`${what}: repetition ${repetition} of ${repetitions} …`);
    for (const storm of repetition % 2 === 1 ? storms : storms.toReversed()) {
      const begun = performance.now();
      await makesOneRun(servers, storm, callers);
      times[storm.name].push(performance.now() - begun);
    }
  }
  return [
    rowOf(null, what, 'ms', times),
    ...requestRows(ours, plain).map(({ kind, values }) => rowOf(null, what, kind, values)),
  ];

  /** What Temporal counts of one storm, after others. */
  async function countRequests(storm: Storm): Promise<Counts> {
    for (let each = 0; each < WARM_UP; each += 1) await makesOneRun(servers, storm, callers);
    const before = await requestsToTemporal(servers.metricsUrl);
    await makesOneRun(servers, storm, callers);
    return countedBetween(before, await requestsToTemporal(servers.metricsUrl));
  }
}

/** Requests of each kind that either has sent. */
export function requestRows(ours: Counts, plain: Counts): { kind: string; values: Pair }[] {
  return [...new Set([...ours.keys(), ...plain.keys()])].sort().map((kind) => ({
    kind,
    values: { ours: [ours.get(kind) ?? 0], plain: [plain.get(kind) ?? 0] },
  }));
}

/** One storm. Model and tools count what was done, and the callers say which run they were told. */
async function makesOneRun(servers: BenchServers, storm: Storm, callers: number): Promise<void> {
  const before = await servers.requests();
  const runIds = await storm.break(callers);
  const after = await servers.requests();
  const model = after.model - before.model;
  const tools = after.tools - before.tools;
  if (runIds.size === 1 && model === MODEL_CALLS && tools === TOOL_CALLS) return;
  throw new Error(
    `${callers} callers of ${storm.name} were told ${runIds.size} runs, which made ${model} model calls and ${tools} tool calls instead of ${MODEL_CALLS} and ${TOOL_CALLS}.`,
  );
}
