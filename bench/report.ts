import type { HttpReport } from './http/http-part.ts';
import { slopeOf, type MemorySample } from './http/replays.ts';
import type { Machine } from './machine.ts';
import type { BenchOptions } from './options.ts';
import type { PartReport } from './part-report.ts';
import type { Row } from './row.ts';
import type { Spread } from './statistics.ts';

export interface Report {
  machine: Machine;
  measured: BenchOptions;
  /** Ours and the plain workflow; none where this part was not measured. */
  rows: Row[];
  /** `null`: not measured. */
  http: HttpReport | null;
  /** What a run writes and asks; `null`: not counted. */
  counts: Row[] | null;
  /** Runs that mostly wait, and what must be known of the figures; `null`: not measured. */
  waiting: { rows: Row[]; notes: string[] } | null;
  /** Those that have tables of their own. */
  parts: PartReport[];
}

/** The report for people: Markdown tables, and what the figures depend on. */
export function drawReport({ machine, measured, ...report }: Report): string {
  const { warmUp, repetitions, runs, duplicates, requests, connections } = measured;
  const { rows, http, counts, waiting, parts } = report;
  return [
    ...(rows.length === 0
      ? []
      : [
          drawRows(rows),
          `Median and range of ${repetitions} repetitions, after ${warmUp} runs of each; ${runs} runs one after the other and ${duplicates} duplicates in each.`,
        ]),
    ...(http === null
      ? []
      : [
          drawTable([
            ['HTTP', 'unit', 'ours', 'bare route', 'ours : bare'],
            ...http.rows.map(cellsOf),
          ]),
          `Median and range of ${repetitions} repetitions; ${requests} requests of a kind to each in a repetition, one after the other, and more over ${connections} connections.`,
          ...(http.memory.length === 0 ? [] : [drawMemory(http.memory)]),
        ]),
    ...(counts === null ? [] : [drawRows(counts), `Of ${runs} runs.`]),
    ...(waiting === null
      ? []
      : [
          drawRows(waiting.rows),
          `Median and range of ${repetitions} repetitions, after ${warmUp} runs of each.`,
          ...waiting.notes,
        ]),
    ...parts.flatMap(({ tables, notes }) => [...tables.map(drawTable), ...notes]),
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}; Node ${machine.node}, Temporal server ${machine.temporalServer}, its SDK ${machine.temporalSdk}, PostgreSQL ${machine.postgres}.
A commit to disk: ${machine.commitMs.toFixed(2)} ms. Load before and after: ${machine.loadBefore} and ${machine.loadAfter}.`,
  ].join('\n\n');
}

function drawRows(rows: readonly Row[]): string {
  return drawTable([
    ['model', 'what', 'unit', 'ours', 'plain', 'ours : plain'],
    ...rows.map((row) => [row.modelMs === null ? '' : `${row.modelMs} ms`, ...cellsOf(row)]),
  ]);
}

function cellsOf({ what, unit, ours, plain, ratio }: Row): string[] {
  // No number: the plain workflow has none of it. In a report that was read from JSON it is `null`.
  const against = Number.isFinite(ratio) ? ratio.toFixed(2) : '–';
  return [what, unit, show(ours), show(plain), against];
}

function drawMemory(samples: readonly MemorySample[]): string {
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  const table = drawTable([
    ['replays', 'heap, MiB', 'resident, MiB'],
    ...samples.map(({ replays, heapUsed, rss }) => [String(replays), mib(heapUsed), mib(rss)]),
  ]);
  // What is compiled and cached with the first requests is no leak.
  const later = samples.filter(({ replays }) => replays > 0);
  const slope = (of: 'heapUsed' | 'rss'): string => slopeOf(later, of).toFixed(1);
  return `${table}\n\nFrom the second line on, a replay leaves ${slope('heapUsed')} bytes in the heap and ${slope('rss')} resident.`;
}

function drawTable(cells: readonly (readonly string[])[]): string {
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  const lines = cells.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

function show({ median, min, max }: Spread): string {
  return `${short(median)} (${short(min)}–${short(max)})`;
}

function short(value: number): string {
  if (value >= 1_000) return String(Math.round(value));
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}
