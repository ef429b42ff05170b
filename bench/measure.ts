import type { Client } from '@temporalio/client';
import type { Contender } from './contenders.ts';
import { median } from './statistics.ts';

/** A figure's values of both, one for each repetition. */
export interface Pair {
  ours: number[];
  plain: number[];
}

export function createPair(): Pair {
  return { ours: [], plain: [] };
}

/** A figure's values of each contender, one for each repetition. */
export type Figures = Record<Contender['name'], number[]>;

export function createFigures(): Figures {
  return ofEach<number>();
}

function ofEach<T>(): Record<Contender['name'], T[]> {
  return { fast: [], standard: [], local: [], plain: [], plainLocal: [] };
}

/** What one run after the other took, and what it left in Temporal. Times in milliseconds. */
export interface Sequential {
  /** From the start request until the caller has the answer. */
  callerMs: Figures;
  /** From the start to the close of the execution, as Temporal says. */
  executionMs: Figures;
  events: Figures;
  bytes: Figures;
}

export function createSequential(): Sequential {
  return {
    callerMs: createFigures(),
    executionMs: createFigures(),
    events: createFigures(),
    bytes: createFigures(),
  };
}

/** One repetition: runs of all in turns, of each of which the medians are added to `into`. */
export async function measureSequential(
  temporal: Client,
  contenders: readonly Contender[],
  runs: number,
  into: Sequential,
): Promise<void> {
  const times = createFigures();
  const workflows = ofEach<string>();
  for (let run = 0; run < runs; run += 1) {
    // Every order in turn: what one leaves behind meets the next.
    const first = run % contenders.length;
    const order = [...contenders.slice(first), ...contenders.slice(0, first)];
    for (const contender of run % 2 === 0 ? order : order.toReversed()) {
      const begun = performance.now();
      const workflowId = await contender.run();
      times[contender.name].push(performance.now() - begun);
      workflows[contender.name].push(workflowId);
    }
  }
  for (const { name } of contenders) {
    const described = await Promise.all(
      workflows[name].map((workflowId) => temporal.workflow.getHandle(workflowId).describe()),
    );
    into.callerMs[name].push(median(times[name]));
    into.executionMs[name].push(
      median(described.map(({ startTime, closeTime }) => Number(closeTime) - startTime.getTime())),
    );
    into.events[name].push(median(described.map(({ historyLength }) => historyLength)));
    into.bytes[name].push(median(described.map(({ historySize }) => historySize ?? Number.NaN)));
  }
}

/** Runs per second while `concurrency` are under way, until `runs` have ended. */
export async function measureThroughput(
  contender: Contender,
  concurrency: number,
  runs: number,
): Promise<number> {
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < runs) {
      begun += 1;
      await contender.run();
    }
  };
  const from = performance.now();
  await Promise.all(Array.from({ length: concurrency }, lane));
  return (runs / (performance.now() - from)) * 1_000;
}

/** One repetition: the same two requests in turns, whose medians are added to `into`. */
export async function measureDuplicates(
  duplicate: () => Promise<void>,
  bare: () => Promise<void>,
  times: number,
  into: Pair,
): Promise<void> {
  const taken = createPair();
  const both = [
    { name: 'ours', send: duplicate },
    { name: 'plain', send: bare },
  ] as const;
  for (let time = 0; time < times; time += 1) {
    for (const { name, send } of time % 2 === 0 ? both : both.toReversed()) {
      const begun = performance.now();
      await send();
      taken[name].push(performance.now() - begun);
    }
  }
  into.ours.push(median(taken.ours));
  into.plain.push(median(taken.plain));
}
