import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { AgentOnceClient } from '../src/client/agent-once-client.ts';
import { createRegistry } from '../src/define/registry.ts';
import { cpuBetween, readCpu } from './cpu-of.ts';
import { createOurs, createPlain, doesItsWork } from './contenders.ts';
import {
  createFigures,
  createPair,
  createSequential,
  measureDuplicates,
  measureSequential,
  measureThroughput,
} from './measure.ts';
import type { BenchOptions } from './options.ts';
import { benchAgents } from './ours/agent.ts';
import { rowOf, rowsOf, type Row } from './row.ts';
import type { BenchServers } from './servers.ts';
import { ANSWER, questionFor } from './shape.ts';

/**
 * Runs and their duplicates, by our client and by Temporal's.
 *
 * @throws if a run of either does not do its work: then there is nothing to compare
 */
export async function runsPart(
  servers: BenchServers,
  temporal: Client,
  options: BenchOptions,
  tell: (line: string) => void,
): Promise<Row[]> {
  const { warmUp, repetitions, runs, concurrency, duplicates } = options;
  const client = new AgentOnceClient({ temporal });
  // Whoever knows the agents, as the command and the service do, starts all of a run in its lane.
  const registry = createRegistry(Object.values(benchAgents), { defaultModel: 'scripted' });
  const knowing = new AgentOnceClient({ temporal, registry });
  const contenders = [
    createOurs(client, 'fast'),
    createOurs(client, 'standard'),
    createOurs(knowing, 'local'),
    createPlain(temporal),
    createPlain(temporal, 'plainLocal'),
  ];
  const rows: Row[] = [];

  tell(`Warming up, with ${warmUp} runs of each …`);
  for (const contender of contenders) {
    await doesItsWork(servers, contender);
    // Workers live for long: what their code takes before V8 has compiled it is not what it takes.
    await measureThroughput(contender, concurrency, warmUp);
  }

  for (const modelMs of options.modelMs) {
    await servers.setModelDelay(modelMs);
    const sequential = createSequential();
    const perSecond = createFigures();
    const cpu = createFigures();
    for (let repetition = 1; repetition <= repetitions; repetition += 1) {
      tell(`The model takes ${modelMs} ms: repetition ${repetition} of ${repetitions} …`);
      await measureSequential(temporal, contenders, runs, sequential);
      for (const contender of repetition % 2 === 1 ? contenders : contenders.toReversed()) {
        const before = await readCpu(servers, contender);
        perSecond[contender.name].push(
          await measureThroughput(contender, concurrency, 2 * concurrency),
        );
        const used = cpuBetween(before, await readCpu(servers, contender));
        if (used) cpu[contender.name].push((used.worker * 1_000) / (2 * concurrency));
      }
    }
    rows.push(
      ...rowsOf(modelMs, 'time per run', 'ms', sequential.callerMs),
      ...rowsOf(modelMs, 'of it in Temporal', 'ms', sequential.executionMs),
      ...rowsOf(modelMs, `runs per second, ${concurrency} at once`, '1/s', perSecond),
      ...(cpu.plain.length > 0 ? rowsOf(modelMs, 'CPU of the worker per run', 'ms', cpu) : []),
      ...rowsOf(modelMs, 'history per run', 'events', sequential.events),
      ...rowsOf(modelMs, 'history per run', 'bytes', sequential.bytes),
    );
  }

  await servers.setModelDelay(0);
  const again = createPair();
  const request = { agent: benchAgents.fast.name, key: randomUUID(), input: questionFor('fast') };
  const { workflowId } = await client.start(request);
  await client.result(request);
  const duplicateOf = async (caller: AgentOnceClient): Promise<void> => {
    const { replayed, result } = await caller.start(request);
    if (!replayed || result !== ANSWER) throw new Error('A duplicate was not replayed');
  };
  const bare = async (): Promise<void> => {
    const handle = temporal.workflow.getHandle(workflowId);
    await handle.describe();
    await handle.result();
  };
  const known = () => duplicateOf(client);
  // As a process that did not start the run: it learns of it by a refused start.
  const unknown = () => duplicateOf(new AgentOnceClient({ temporal }));
  const elsewhere = createPair();
  await measureDuplicates(known, bare, duplicates, createPair());
  for (let repetition = 1; repetition <= repetitions; repetition += 1) {
    tell(`Duplicates: repetition ${repetition} of ${repetitions} …`);
    await measureDuplicates(known, bare, duplicates, again);
    await measureDuplicates(unknown, bare, duplicates, elsewhere);
  }
  rows.push(
    rowOf(null, 'a duplicate, against describe + result', 'ms', again),
    rowOf(null, 'one by a client new to the key', 'ms', elsewhere),
  );
  return rows;
}
