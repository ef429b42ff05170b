import type { Client } from '@temporalio/client';
import { AgentOnceClient } from '../src/client/agent-once-client.ts';
import { actionsIn, commandsOf } from './actions.ts';
import { createOurs, createPlain, doesItsWork, type Contender } from './contenders.ts';
import { requestsToTemporal } from './http/requests-to-temporal.ts';
import { LedgerCounter, type LedgerSample } from './ledger-counts.ts';
import { createFigures } from './measure.ts';
import { rowsOf, type Row } from './row.ts';
import type { BenchServers } from './servers.ts';
import { MODEL_CALLS, TOOL_CALLS } from './shape.ts';
import { median } from './statistics.ts';
import { countedBetween, readCounts, sumOf, type Counts } from './temporal-metrics.ts';

/** What a run costs, by a figure's name and unit. */
type Figures = Map<string, { what: string; unit: string; perRun: number }>;

/** Sent by workers without any run, and never steady. */
const IDLE =
  /^(?:Poll(?:Workflow|Activity|Nexus)TaskQueue|RecordWorkerHeartbeat|Get|DescribeNamespace)/;
/** A worker's polls are counted, though some come without a run. */
const OF_NO_RUN = /^(?:RecordWorkerHeartbeat|GetSystemInfo|GetClusterInfo|DescribeNamespace)/;

export interface CountsOptions {
  runs: number;
  countedModelMs: readonly number[];
}

/**
 * What a run writes and asks, of ours in both lanes and of the plain workflow: in Temporal's history, in
 * requests to Temporal, in actions as Temporal Cloud bills them, and in the ledger.
 *
 * @param servers with a PostgreSQL that counts statements
 * @throws if a run of either does not do its work
 */
export async function countsPart(
  servers: BenchServers,
  temporal: Client,
  { runs, countedModelMs }: CountsOptions,
  tell: (line: string) => void,
): Promise<Row[]> {
  const client = new AgentOnceClient({ temporal });
  const contenders = [
    createOurs(client, 'fast'),
    createOurs(client, 'standard'),
    createPlain(temporal),
  ];
  const counter = await LedgerCounter.open(servers.ledger);
  try {
    tell('Counting: what a first run sends is not counted …');
    for (const contender of contenders) await doesItsWork(servers, contender);
    const rows: Row[] = [];
    for (const modelMs of countedModelMs) {
      await servers.setModelDelay(modelMs);
      const found: Record<string, Figures> = {};
      let ledger = await counter.sample();
      for (const contender of contenders) {
        tell(`Counting ${runs} runs, ${contender.name}; the model takes ${modelMs} ms …`);
        const ids = await countRequests(servers, contender, { runs, modelMs });
        const before = ledger;
        ledger = await counter.sample();
        found[contender.name] = new Map([
          ...(await historyFigures(temporal, ids.workflowIds, ids.requests)),
          ...ids.figures,
          // The plain workflow has no ledger.
          ...(contender.name === 'plain' ? [] : ledgerFigures(before, ledger, runs)),
        ]);
      }
      rows.push(...toRows(modelMs, found));
    }
    return rows;
  } finally {
    await counter.close();
  }
}

/** Makes the runs, one after the other where that takes no time. @throws if they did not do their work */
async function countRequests(
  servers: BenchServers,
  contender: Contender,
  { runs, modelMs }: { runs: number; modelMs: number },
): Promise<{ workflowIds: string[]; requests: Counts; figures: Figures }> {
  const { metricsUrl } = servers;
  const read = async () => {
    await requestsToTemporal(metricsUrl, IDLE);
    return {
      requests: await readCounts(metricsUrl, 'service_requests', 'operation'),
      actions: await readCounts(metricsUrl, 'action', 'action_type'),
      work: await servers.requests(),
    };
  };
  const before = await read();
  const workflowIds: string[] = [];
  const lane = async (amount: number): Promise<void> => {
    for (let run = 0; run < amount; run += 1) workflowIds.push(await contender.run());
  };
  if (modelMs === 0) await lane(runs);
  else await Promise.all(Array.from({ length: runs }, () => lane(1)));
  const after = await read();

  const model = after.work.model - before.work.model;
  const tools = after.work.tools - before.work.tools;
  if (model !== runs * MODEL_CALLS || tools !== runs * TOOL_CALLS) {
    throw new Error(
      `${runs} runs of ${contender.name} made ${model} model calls and ${tools} tool calls instead of ${runs * MODEL_CALLS} and ${runs * TOOL_CALLS}.`,
    );
  }
  const requests = countedBetween(before.requests, after.requests);
  const ofRuns = new Map([...requests].filter(([operation]) => !OF_NO_RUN.test(operation)));
  const figures: Figures = new Map();
  add(figures, 'requests to Temporal', '1/run', sumOf(ofRuns) / runs);
  for (const [operation, count] of ofRuns) add(figures, operation, 'requests/run', count / runs);
  const actions = sumOf(countedBetween(before.actions, after.actions));
  add(figures, "actions, by the server's own count", '1/run', actions / runs);
  return { workflowIds, requests, figures };
}

/** Medians of what the histories say, and the actions of these and of requests that leave no event. */
async function historyFigures(
  temporal: Client,
  workflowIds: readonly string[],
  requests: Counts,
): Promise<Figures> {
  const found = await Promise.all(
    workflowIds.map(async (workflowId) => {
      const handle = temporal.workflow.getHandle(workflowId);
      const [{ events }, { historySize }] = await Promise.all([
        handle.fetchHistory(),
        handle.describe(),
      ]);
      return { events: events ?? [], bytes: historySize ?? Number.NaN };
    }),
  );
  const unseen =
    (requests.get('RecordActivityTaskHeartbeat') ?? 0) +
    (requests.get('RecordActivityTaskHeartbeatById') ?? 0) +
    (requests.get('QueryWorkflow') ?? 0);
  const actions = found.reduce((sum, { events }) => sum + actionsIn(events), unseen);
  const figures: Figures = new Map();
  add(figures, 'actions on Temporal Cloud', '1/run', actions / workflowIds.length);
  add(figures, 'history', 'events/run', median(found.map(({ events }) => events.length)));
  add(figures, 'history', 'bytes/run', median(found.map(({ bytes }) => bytes)));
  const commands = found.map(({ events }) => commandsOf(events));
  for (const name of new Set(commands.flatMap((each) => [...each.keys()]))) {
    const perRun = median(commands.map((each) => each.get(name) ?? 0));
    add(figures, name, 'commands/run', perRun);
  }
  return figures;
}

function ledgerFigures(before: LedgerSample, after: LedgerSample, runs: number): Figures {
  const figures: Figures = new Map();
  const perRun = (of: keyof LedgerSample['steps']): number =>
    (after.steps[of] - before.steps[of]) / runs;
  add(figures, 'ledger, round trips', '1/run', perRun('statements'));
  add(figures, 'ledger, statements that write', '1/run', perRun('writes'));
  add(figures, 'ledger, commits', '1/run', perRun('commits'));
  add(figures, 'ledger, rows written', '1/run', perRun('rows'));
  add(figures, 'ledger, WAL', 'bytes/run', perRun('walBytes'));
  return figures;
}

function add(figures: Figures, what: string, unit: string, perRun: number): void {
  figures.set(`${what}, ${unit}`, { what, unit, perRun });
}

/** A row for whatever any of them has; the others have none of it. */
function toRows(modelMs: number, found: Record<string, Figures>): Row[] {
  const all = new Map(Object.values(found).flatMap((figures) => [...figures]));
  return [...all].flatMap(([key, { what, unit }]) => {
    const of = createFigures();
    for (const name of Object.keys(found) as (keyof typeof of)[]) {
      of[name].push(found[name]?.get(key)?.perRun ?? 0);
    }
    return rowsOf(modelMs, what, unit, of);
  });
}
