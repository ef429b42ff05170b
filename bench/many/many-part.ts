import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import { benchAgents } from '../ours/agent.ts';
import { mib, type PartReport } from '../part-report.ts';
import { startMeasured, type MeasuredProcess, type Memory } from '../process.ts';
import type { BenchServers } from '../servers.ts';
import { backlogQuestion } from '../shape.ts';

interface Backlog {
  name: string;
  program: string;
  /** Starts a run and does not wait for it. */
  start(): Promise<unknown>;
  /** Temporal's name of its workflows. */
  type: string;
}

interface ManyFigures {
  name: string;
  /** Of the worker's time alone: the runs had been started. */
  seconds: number;
  /** Runs per second, in each tenth of the runs. */
  perSecond: number[];
  /** After so many runs. */
  memory: (Memory & { runs: number })[];
}

const STARTS_AT_ONCE = 50;
const TENTHS = 10;
const LOOK_EVERY_MS = 250;
/** Model calls of a run; it has one tool call besides. */
const CALLS_PER_RUN = 2;

/**
 * Many runs that wait, and one worker that begins then.
 *
 * @throws if a run did not complete, or did not do its work
 */
export async function manyPart(
  servers: BenchServers,
  temporal: Client,
  { backlog }: { backlog: number },
  tell: (line: string) => void,
): Promise<PartReport> {
  const client = new AgentOnceClient({ temporal });
  const agent = benchAgents.standard.name;
  const contenders: Backlog[] = [
    {
      name: 'ours',
      program: 'ours/worker.ts',
      start: () =>
        client.start({ agent, key: randomUUID(), input: backlogQuestion('look_standard') }),
      type: 'agentRun',
    },
    {
      name: 'plain workflow',
      program: 'plain/worker.ts',
      start: () =>
        temporal.workflow.start('plainAgent', {
          workflowId: `plain-${randomUUID()}`,
          taskQueue: 'bench-plain',
          args: [backlogQuestion('look')],
        }),
      type: 'plainAgent',
    },
  ];
  const all: ManyFigures[] = [];
  for (const contender of contenders) {
    tell(`Many: ${backlog} runs of ${contender.name} …`);
    const since = new Date().toISOString();
    await startAll(contender, backlog);
    const log = path.join(servers.folder, 'many.log');
    const before = await servers.requests();
    const worker = await startMeasured(contender.program, log, servers.env);
    try {
      all.push(await drain(servers, temporal, contender, worker, { backlog, before, since }));
    } finally {
      await worker.stop();
    }
  }
  return { part: 'many', figures: all, ...draw(all, backlog) };
}

async function startAll({ start }: Backlog, runs: number): Promise<void> {
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < runs) {
      begun += 1;
      await start();
    }
  };
  await Promise.all(Array.from({ length: STARTS_AT_ONCE }, lane));
}

async function drain(
  servers: BenchServers,
  temporal: Client,
  { name, type }: Backlog,
  worker: MeasuredProcess,
  of: { backlog: number; before: { model: number; tools: number }; since: string },
): Promise<ManyFigures> {
  const begun = performance.now();
  const query = `WorkflowType = '${type}' AND ExecutionStatus = 'Completed' AND StartTime >= '${of.since}'`;
  const completed = async () => (await temporal.workflow.count(query)).count;
  const memory: ManyFigures['memory'] = [{ runs: 0, ...(await worker.memory()) }];
  const perSecond: number[] = [];
  let last = { at: begun, runs: 0 };
  for (let tenth = 1; tenth <= TENTHS;) {
    await sleep(LOOK_EVERY_MS);
    const runs = await completed();
    if (runs < Math.ceil((of.backlog * tenth) / TENTHS)) continue;
    const at = performance.now();
    perSecond.push(((runs - last.runs) / (at - last.at)) * 1_000);
    last = { at, runs };
    memory.push({ runs, ...(await worker.memory()) });
    tenth = Math.floor((runs * TENTHS) / of.backlog) + 1;
  }
  const after = await servers.requests();
  const model = after.model - of.before.model;
  const tools = after.tools - of.before.tools;
  if (model !== CALLS_PER_RUN * of.backlog || tools !== of.backlog) {
    throw new Error(
      `${of.backlog} runs of ${name} made ${model} model calls and ${tools} tool calls.`,
    );
  }
  return { name, seconds: (last.at - begun) / 1_000, perSecond, memory };
}

function draw(all: readonly ManyFigures[], runs: number): Pick<PartReport, 'tables' | 'notes'> {
  const speed = all.map(({ name, seconds, perSecond }) => [
    name,
    seconds.toFixed(1),
    (runs / seconds).toFixed(2),
    perSecond.map((each) => each.toFixed(1)).join(', '),
  ]);
  const memory = all.flatMap(({ name, memory: samples }) =>
    samples.map((sample) => [name, String(sample.runs), mib(sample.heapUsed), mib(sample.rss)]),
  );
  return {
    tables: [
      [['backlog', 's', 'runs per second', 'in each tenth of the runs'], ...speed],
      [["worker's memory", 'runs', 'heap, MiB', 'resident, MiB'], ...memory],
    ],
    notes: [
      `${runs} runs had been started before the worker was: two model calls and one tool call each.`,
    ],
  };
}
