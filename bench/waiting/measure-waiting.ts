import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Contender } from '../contenders.ts';
import type { LedgerCounter } from '../ledger-counts.ts';
import type { BenchServers } from '../servers.ts';
import { WAITING_MODEL_CALLS } from '../shape.ts';
import { countedBetween, readCounts } from '../temporal-metrics.ts';
import { lastClose, startMany, until, untilClosed } from './batch.ts';
import { cpuBetween, eachCpu, readCpu } from '../cpu-of.ts';

/** Times `heldMs` until it is looked: starting the runs leaves garbage, which is collected meanwhile. */
const SETTLE = 2;

/** Figures with their units. */
export type Found = [what: string, unit: string, value: number][];

export interface Parts {
  servers: BenchServers;
  temporal: Client;
  counter: LedgerCounter;
  runs: number;
  modelMs: number;
  heldRuns: number;
  heldMs: number;
}

/** Many runs at once, until the last one has closed. */
export async function measureMany(parts: Parts, contender: Contender): Promise<Found> {
  const { servers, temporal, runs, modelMs } = parts;
  await servers.setModelDelay(modelMs);
  const work = await servers.requests();
  const cpu = await readCpu(servers, contender);
  const begun = Date.now();
  const batch = await startMany(contender, runs);
  await untilClosed(temporal, batch);
  const taken = cpuBetween(cpu, await readCpu(servers, contender));
  const seconds = ((await lastClose(temporal, batch)) - begun) / 1_000;
  const idealS = (WAITING_MODEL_CALLS * modelMs) / 1_000;
  return [
    ['all done after', 's', seconds],
    ['times the ideal', '1', seconds / idealS],
    ...eachCpu(taken, (of, spent): Found[number] => [of, 'ms/run', (spent * 1_000) / runs]),
    ['model calls', '1', await modelCalls(servers, work, contender, runs)],
  ];
}

/** What runs cost that all wait: the model holds every answer back while it is looked. */
export async function measureHeld(parts: Parts, contender: Contender): Promise<Found> {
  const { servers, temporal, counter, heldRuns, heldMs } = parts;
  await servers.setModelDelay(0);
  await servers.holdModel(true);
  const work = await servers.requests();
  try {
    const batch = await startMany(contender, heldRuns);
    await until('the model holds a request of each run', async () => {
      return (await servers.heldByModel()) >= heldRuns;
    });
    await sleep(SETTLE * heldMs);
    const look = async () => ({
      at: performance.now(),
      cpu: await readCpu(servers, contender),
      ledger: await counter.sampleNow(),
      requests: await readCounts(servers.metricsUrl, 'service_requests', 'operation'),
    });
    const before = await look();
    await sleep(heldMs);
    const after = await look();
    await servers.holdModel(false);
    await untilClosed(temporal, batch);
    await lastClose(temporal, batch);

    const seconds = (after.at - before.at) / 1_000;
    // The plain workflow has no ledger: what is counted meanwhile is of our worker, which has no work.
    const writes = (of: typeof before): number =>
      contender.name === 'plain' ? 0 : of.ledger.steps.writes + of.ledger.renewals;
    const requests = [...countedBetween(before.requests, after.requests)].filter(([operation]) =>
      operation.startsWith('Record'),
    );
    return [
      ...eachCpu(cpuBetween(before.cpu, after.cpu), (of, spent): Found[number] => {
        return [of, '% of a core', (spent / seconds) * 100];
      }),
      ['ledger, statements that write', '1/s', (writes(after) - writes(before)) / seconds],
      ...requests.map(([operation, count]): Found[number] => [operation, '1/s', count / seconds]),
      ['model calls', '1', await modelCalls(servers, work, contender, heldRuns)],
    ];
  } finally {
    await servers.holdModel(false);
  }
}

/** Requests that the model got: more than it must get are answers that were paid for again. */
async function modelCalls(
  servers: BenchServers,
  before: { model: number; tools: number },
  { name }: Contender,
  runs: number,
): Promise<number> {
  const after = await servers.requests();
  const model = after.model - before.model;
  const tools = after.tools - before.tools;
  if (model >= runs * WAITING_MODEL_CALLS && tools >= runs) return model;
  throw new Error(
    `${runs} runs of ${name} made ${model} model calls and ${tools} tool calls instead of ${runs * WAITING_MODEL_CALLS} and ${runs}.`,
  );
}
