import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import { benchAgents } from '../ours/agent.ts';
import type { PartReport } from '../part-report.ts';
import { startMeasured, type MeasuredProcess } from '../process.ts';
import type { BenchServers } from '../servers.ts';
import { ANSWER, backlogQuestion } from '../shape.ts';
import { median, percentile } from '../statistics.ts';
import { startGate, type Gate, type Kind } from './gate.ts';

/** One of the two that are compared, with two workers. */
interface Recovering {
  name: string;
  program: string;
  /** Starts a run and resolves with its answer. */
  run(): Promise<unknown>;
  workers: Map<string, MeasuredProcess>;
}

interface RecoveryFigures {
  name: string;
  /** What the worker was waiting for. */
  kind: Kind;
  /** From the kill until another worker made the call again, in milliseconds. */
  takenOver: number[];
  /** From the kill until the caller had the answer. */
  ended: number[];
}

const KINDS: readonly Kind[] = ['model', 'tool'];
/** Kills fall everywhere between two heartbeats and two renewals. */
const PHASES_MS = 2_000;
const LEAST_MS = 300;
/** Nobody waits for longer than this for a step to be taken over. */
const NET_MS = 5 * 60_000;

/**
 * Kills a worker in the middle of a call while another one is up.
 *
 * @throws if a run does not end with its answer, or is not taken over
 */
export async function recoveryPart(
  servers: BenchServers,
  temporal: Client,
  { kills }: { kills: number },
  tell: (line: string) => void,
): Promise<PartReport> {
  const gate = await startGate({
    model: servers.env['OPENAI_BASE_URL'] ?? '',
    tool: servers.env['BENCH_COUNTER_URL'] ?? '',
  });
  const client = new AgentOnceClient({ temporal });
  const agent = benchAgents.standard.name;
  const contenders: Recovering[] = [
    {
      name: 'ours',
      program: 'ours/worker.ts',
      async run() {
        const request = { agent, key: randomUUID(), input: backlogQuestion('look_standard') };
        await client.start(request);
        const { result, error } = await client.result(request);
        return result ?? error;
      },
      workers: new Map(),
    },
    {
      name: 'plain workflow',
      program: 'plain/worker.ts',
      run: () =>
        temporal.workflow.execute('plainAgent', {
          workflowId: `plain-${randomUUID()}`,
          taskQueue: 'bench-plain',
          args: [backlogQuestion('look')],
        }),
      workers: new Map(),
    },
  ];
  let started = 0;
  const addWorker = async ({ program, workers }: Recovering): Promise<void> => {
    const name = `worker-${(started += 1)}`;
    const env = { ...servers.env, ...gate.env(name) };
    workers.set(name, await startMeasured(program, path.join(servers.folder, `${name}.log`), env));
  };
  const figures = contenders.flatMap(({ name }) =>
    KINDS.map((kind): RecoveryFigures => ({ name, kind, takenOver: [], ended: [] })),
  );
  try {
    for (const contender of contenders) {
      await addWorker(contender);
      await addWorker(contender);
    }
    for (let kill = 0; kill < kills; kill += 1) {
      tell(`Recovery: kill ${kill + 1} of ${kills} of each …`);
      for (const contender of kill % 2 === 0 ? contenders : contenders.toReversed()) {
        for (const kind of KINDS) {
          const afterMs = LEAST_MS + (PHASES_MS * kill) / kills;
          const { takenOver, ended } = await killOne(gate, contender, kind, afterMs);
          const into = figures.find((of) => of.name === contender.name && of.kind === kind);
          into?.takenOver.push(takenOver);
          into?.ended.push(ended);
          await addWorker(contender);
        }
      }
    }
  } finally {
    for (const { workers } of contenders) {
      await Promise.all([...workers.values()].map((worker) => worker.kill()));
    }
    await gate.stop();
  }
  return { part: 'recovery', figures, ...draw(figures, kills) };
}

/** @param afterMs for how long the call has gone on when its worker is killed */
async function killOne(
  gate: Gate,
  { name, run, workers }: Recovering,
  kind: Kind,
  afterMs: number,
): Promise<{ takenOver: number; ended: number }> {
  const held = gate.next(kind, true);
  const end = run();
  // Its failure is thrown below, or what waits for it says that it did not come.
  end.catch(() => undefined);
  const { worker } = await within(held, `${name}: no worker made the ${kind} call`);
  await sleep(afterMs);
  const again = gate.next(kind);
  const killed = performance.now();
  await workers.get(worker)?.kill();
  workers.delete(worker);
  const { at, worker: other } = await within(again, `${name}: nobody took the ${kind} step over`);
  if (other === worker) throw new Error(`${name}: a dead worker made the ${kind} call again`);
  const answer = await within(end, `${name}: the run did not end`);
  const ended = performance.now() - killed;
  if (answer !== ANSWER) throw new Error(`A run of ${name} ended with ${JSON.stringify(answer)}`);
  return { takenOver: at - killed, ended };
}

async function within<T>(promise: Promise<T>, otherwise: string): Promise<T> {
  const stop = new AbortController();
  const late = sleep(NET_MS, undefined, { signal: stop.signal }).then(() => {
    throw new Error(otherwise);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
  }
}

function draw(
  all: readonly RecoveryFigures[],
  kills: number,
): Pick<PartReport, 'tables' | 'notes'> {
  const cells = (of: readonly number[]): string[] =>
    [median(of), percentile(of, 95), Math.max(...of)].map((ms) => (ms / 1_000).toFixed(2));
  const titles = ['taken over, median, s', '95 %', 'longest', 'run ended, median, s', '95 %'];
  return {
    tables: [
      [
        ['killed in the middle of', ...titles, 'longest'],
        ...all.map(({ name, kind, takenOver, ended }) => [
          `a ${kind} call, ${name}`,
          ...cells(takenOver),
          ...cells(ended),
        ]),
      ],
    ],
    notes: [
      `${kills} kills in each row, with SIGKILL, while another worker was up. Taken over: that one has made the same call again.`,
    ],
  };
}
