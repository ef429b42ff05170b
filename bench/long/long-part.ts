import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import pg from 'pg';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import { mib, type PartReport } from '../part-report.ts';
import { startMeasured, type MeasuredProcess, type Memory } from '../process.ts';
import type { BenchServers } from '../servers.ts';
import { hasAnswered, longContenders, type LongContender } from './contenders.ts';
import { CONVERSATION_TOKENS } from './conversation.ts';
import { bytesPerTurn, halvesOf } from './history.ts';

/** A contender's run, and what its worker holds. */
interface LongFigures {
  name: string;
  /** Model calls that were made. */
  turns: number;
  /** The answer, or what the run died of. */
  end: string;
  answered: boolean;
  seconds: number;
  history: { bytes: number; events: number; perTurn: number[] };
  /** Of requests and results, as they are stored; none of the plain workflow. */
  ledger: { bytes: number; perTurn: number[] } | null;
  /** After so many model calls of its first run, and after each of its runs (`model calls` × runs). */
  memory: (Memory & { turns: number })[];
}

/** Runs of a contender one after the other: what the second leaves behind is no first use. */
const RUNS = 3;
const SAMPLES = 4;
const LOOK_EVERY_MS = 100;

/**
 * A conversation of 209,000 tokens, and many model calls on it. That the plain workflow dies of it is
 * a figure.
 *
 * @throws if ours does not do all of its work
 */
export async function longPart(
  servers: BenchServers,
  temporal: Client,
  { turns }: { turns: number },
  tell: (line: string) => void,
): Promise<PartReport> {
  const all: LongFigures[] = [];
  for (const contender of longContenders(new AgentOnceClient({ temporal }), temporal)) {
    tell(`Long: ${turns} model calls, ${contender.name} …`);
    const log = path.join(servers.folder, 'long.log');
    const worker = await startMeasured(contender.program, log, servers.env);
    try {
      all.push(await measure(servers, temporal, contender, worker, turns));
    } finally {
      await worker.stop();
    }
  }
  for (const { name, end, answered } of all.filter(({ name }) => name.startsWith('ours'))) {
    if (!answered) throw new Error(`A long run of ${name} ended with: ${end}`);
  }
  return { part: 'long', figures: all, ...draw(all, turns) };
}

async function measure(
  servers: BenchServers,
  temporal: Client,
  contender: LongContender,
  worker: MeasuredProcess,
  turns: number,
): Promise<LongFigures> {
  const memory: LongFigures['memory'] = [{ turns: 0, ...(await worker.memory()) }];
  const before = await servers.requests();
  const begun = performance.now();
  const run = await contender.start(turns);
  let over = false;
  const end = run.end.finally(() => (over = true));
  for (let sample = 1; !over && sample < SAMPLES;) {
    await Promise.race([end, sleep(LOOK_EVERY_MS)]);
    const asked = (await servers.requests()).model - before.model;
    if (over || asked < (turns * sample) / SAMPLES) continue;
    memory.push({ turns: asked, ...(await worker.memory()) });
    sample += 1;
  }
  const ended = await end;
  const seconds = (performance.now() - begun) / 1_000;
  const after = await servers.requests();
  const asked = after.model - before.model;
  const tools = after.tools - before.tools;
  const answered = hasAnswered(ended) && asked === turns && tools === turns - 1;
  memory.push({ turns: asked, ...(await worker.memory()) });
  for (let more = 2; answered && more <= RUNS; more += 1) {
    if (!hasAnswered(await (await contender.start(turns)).end)) {
      throw new Error(`Run ${more} of ${contender.name} did not answer`);
    }
    memory.push({ turns: turns * more, ...(await worker.memory()) });
  }
  const { name } = contender;
  const history = await historyOf(servers.temporal, run.workflowId, run.runId);
  const ledger = contender.program === 'ours/worker.ts' ? await ledgerOf(servers, run.runId) : null;
  return { name, turns: asked, end: ended, answered, seconds, history, ledger, memory };
}

/** Of all executions of a run: a longer one continues as new. */
async function historyOf(
  address: string,
  workflowId: string,
  first: string,
): Promise<LongFigures['history']> {
  // A page of events of a megabyte each is larger than gRPC takes when nothing is set.
  const channelArgs = { 'grpc.max_receive_message_length': -1 };
  const connection = await Connection.connect({ address, channelArgs });
  try {
    const { workflow } = new Client({ connection });
    const history: LongFigures['history'] = { bytes: 0, events: 0, perTurn: [] };
    for (let runId: string | undefined = first; runId;) {
      const handle: WorkflowHandle = workflow.getHandle(workflowId, runId);
      const { historySize, historyLength } = await handle.describe();
      const events = (await handle.fetchHistory()).events ?? [];
      history.bytes += historySize ?? Number.NaN;
      history.events += historyLength;
      history.perTurn.push(...bytesPerTurn(events));
      const next = events.at(-1)?.workflowExecutionContinuedAsNewEventAttributes;
      runId = next?.newExecutionRunId ?? undefined;
    }
    return history;
  } finally {
    await connection.close();
  }
}

const STORED = `
SELECT sum(coalesce(octet_length(request), 0) + coalesce(octet_length(result), 0))::float8 AS bytes
FROM agent_once.steps WHERE scope = $1 GROUP BY turn ORDER BY turn`;

async function ledgerOf(servers: BenchServers, scope: string): Promise<LongFigures['ledger']> {
  const client = new pg.Client({ connectionString: servers.ledger });
  await client.connect();
  try {
    const { rows } = await client.query<{ bytes: number }>(STORED, [scope]);
    const perTurn = rows.map(({ bytes }) => bytes);
    // The last turn has no call.
    return { bytes: perTurn.reduce((sum, each) => sum + each, 0), perTurn: perTurn.slice(0, -1) };
  } finally {
    await client.end();
  }
}

function draw(all: readonly LongFigures[], turns: number): Pick<PartReport, 'tables' | 'notes'> {
  const turn = (perTurn: readonly number[]): string => {
    const { first, last, ratio } = halvesOf(perTurn);
    return `${Math.round(first)}, ${Math.round(last)} (${ratio.toFixed(2)})`;
  };
  const run = all.map(({ name, turns: made, end, seconds, history, ledger }) => [
    name,
    `${made} of ${turns}`,
    end,
    seconds.toFixed(1),
    mib(history.bytes),
    String(history.events),
    turn(history.perTurn),
    ledger === null ? '' : mib(ledger.bytes),
    ledger === null ? '' : turn(ledger.perTurn),
  ]);
  const memory = all.flatMap(({ name, memory: samples }) =>
    samples.map((sample) => [name, String(sample.turns), mib(sample.heapUsed), mib(sample.rss)]),
  );
  const titles = ['long', 'model calls', 'end', 's', 'history, MiB', 'events'];
  return {
    tables: [
      [[...titles, 'bytes a turn', 'ledger, MiB', 'bytes a turn'], ...run],
      [["worker's memory", 'model calls', 'heap, MiB', 'resident, MiB'], ...memory],
    ],
    notes: [
      `A conversation of ${CONVERSATION_TOKENS} tokens. Bytes a turn: the mean of the first half of the turns after the first, and of the last half.`,
    ],
  };
}
