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

export function rowOf(modelMs: number | null, what: string, unit: string, values: Pair): Row {
  const ours = spreadOf(values.ours);
  const plain = spreadOf(values.plain);
  return { modelMs, what, unit, ours, plain, ratio: ours.median / plain.median };
}
