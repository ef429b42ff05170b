import type { Machine } from './machine.ts';
import type { Pair } from './measure.ts';
import { spreadOf, type Spread } from './statistics.ts';

/** One line of the table. */
export interface Row {
  /** How long the model took for an answer; `null` where no model is asked. */
  modelMs: number | null;
  what: string;
  unit: string;
  ours: Spread;
  plain: Spread;
  /** Ours to plain, of the medians. */
  ratio: number;
}

export interface Report {
  machine: Machine;
  measured: { repetitions: number; runs: number; concurrency: number; duplicates: number };
  rows: Row[];
}

export function rowOf(modelMs: number | null, what: string, unit: string, values: Pair): Row {
  const ours = spreadOf(values.ours);
  const plain = spreadOf(values.plain);
  return { modelMs, what, unit, ours, plain, ratio: ours.median / plain.median };
}

/** The report for people: a Markdown table, and what the figures depend on. */
export function drawReport({ machine, measured, rows }: Report): string {
  const cells = [
    ['model', 'what', 'unit', 'ours', 'plain', 'ours : plain'],
    ...rows.map((row) => [
      row.modelMs === null ? '' : `${row.modelMs} ms`,
      row.what,
      row.unit,
      show(row.ours),
      show(row.plain),
      row.ratio.toFixed(2),
    ]),
  ];
  const widths = cells[0]?.map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  const lines = cells.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths?.[column] ?? 0)).join(' | ')} |`,
  );
  const rule = `| ${(widths ?? []).map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [
    lines[0],
    rule,
    ...lines.slice(1),
    '',
    `Median and range of ${measured.repetitions} repetitions; ${measured.runs} runs one after the other and ${measured.duplicates} duplicates in each.`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}; Node ${machine.node}, Temporal server ${machine.temporalServer}, its SDK ${machine.temporalSdk}, PostgreSQL ${machine.postgres}.`,
    `A commit to disk: ${machine.commitMs.toFixed(2)} ms. Load before and after: ${machine.loadBefore} and ${machine.loadAfter}.`,
  ].join('\n');
}

function show({ median, min, max }: Spread): string {
  return `${short(median)} (${short(min)}–${short(max)})`;
}

function short(value: number): string {
  if (value >= 1_000) return String(Math.round(value));
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}
