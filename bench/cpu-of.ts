import type { Contender } from './contenders.ts';
import { cpuSeconds } from './cpu.ts';
import type { BenchServers } from './servers.ts';

/** Seconds of CPU; `null`: not known on this system. */
export type Cpu = Record<'worker' | 'temporal' | 'postgres', number> | null;

/** Since the start of the contender's worker, of Temporal and of PostgreSQL. */
export async function readCpu({ pids }: BenchServers, { name }: Contender): Promise<Cpu> {
  const [worker, temporal, postgres] = await Promise.all([
    cpuSeconds(name === 'plain' || name === 'plainLocal' ? pids.plain : pids.ours),
    cpuSeconds(pids.temporal),
    cpuSeconds(pids.postgres),
  ]);
  return worker === null || temporal === null || postgres === null
    ? null
    : { worker, temporal, postgres };
}

export function cpuBetween(before: Cpu, after: Cpu): Cpu {
  if (before === null || after === null) return null;
  return {
    worker: after.worker - before.worker,
    temporal: after.temporal - before.temporal,
    postgres: after.postgres - before.postgres,
  };
}

/** A figure for each of them, and for both servers together. */
export function eachCpu<Figure>(
  cpu: Cpu,
  figure: (of: string, seconds: number) => Figure,
): Figure[] {
  if (cpu === null) return [];
  const { worker, temporal, postgres } = cpu;
  return [
    figure('CPU of the worker', worker),
    figure('CPU of Temporal', temporal),
    figure('CPU of PostgreSQL', postgres),
    figure('CPU of Temporal and PostgreSQL', temporal + postgres),
  ];
}
