import type { Figures, Pair } from './measure.ts';
import { spreadOf, type Spread } from './statistics.ts';

/** One line of the table. */
export interface Row {
  /** How long the model took for an answer; `null` where no model is asked. */
  modelMs: number | null;
  what: string;
  unit: string;
  ours: Spread;
  plain: Spread;
  /** Ours to plain, of the medians; no number where the plain workflow has nothing of the kind. */
  ratio: number;
}

export function rowOf(modelMs: number | null, what: string, unit: string, values: Pair): Row {
  const ours = spreadOf(values.ours);
  const plain = spreadOf(values.plain);
  return { modelMs, what, unit, ours, plain, ratio: ours.median / plain.median };
}

const LANES = ['fast', 'standard'] as const;

/**
 * A figure of ours, with the tools in either lane, against the plain workflow's; and of local activities
 * alone against the same of the plain workflow, where it was measured.
 */
export function rowsOf(modelMs: number, what: string, unit: string, of: Figures): Row[] {
  const rows = LANES.map((lane) =>
    rowOf(modelMs, `${what}, ${lane} lane`, unit, { ours: of[lane], plain: of.plain }),
  );
  if (of.local.length === 0) return rows;
  const local = { ours: of.local, plain: of.plainLocal };
  return [...rows, rowOf(modelMs, `${what}, all local`, unit, local)];
}
