import type { Row } from '../row.ts';

/** What ours is compared with. */
export type Compared = 'plain' | 'bare route';

/** One bar of a picture: a contender's figure, as long as it is to that of what it is compared with. */
export interface Bar {
  /** What is measured, with the model's time where it is part of it. */
  figure: string;
  who: 'ours' | 'fast lane' | 'standard lane' | Compared;
  /** The median of what ours is compared with is 1. */
  length: number;
  low: number;
  high: number;
  /** The median. */
  text: string;
}

/**
 * The bars of rows: those of a figure in either lane stand together. A row of which the other has nothing
 * has no bars: there is nothing to compare.
 */
export function barsOf(rows: readonly Row[], compared: Compared = 'plain'): Bar[] {
  const bars = new Map<string, Bar>();
  for (const { modelMs, what, unit, ours, plain } of rows) {
    if (!(plain.median > 0)) continue;
    const [, name = what, lane] = /^(.*?)(?:, (fast lane|standard lane))?$/.exec(what) ?? [];
    const timed = modelMs === null ? name : `${name}; model ${modelMs} ms`;
    const figure = unit === '1' ? timed : `${timed}, ${unit}`;
    for (const [who, { median, min, max }] of [
      [(lane as Bar['who'] | undefined) ?? 'ours', ours],
      [compared, plain],
    ] as const) {
      bars.set(`${figure}, ${who}`, {
        figure,
        who,
        length: median / plain.median,
        low: min / plain.median,
        high: max / plain.median,
        text: median.toLocaleString('en', { maximumSignificantDigits: 3 }),
      });
    }
  }
  const order = ['fast lane', 'standard lane', 'ours', compared];
  const figures = [...new Set([...bars.values()].map(({ figure }) => figure))];
  return [...bars.values()].toSorted(
    (a, b) =>
      figures.indexOf(a.figure) - figures.indexOf(b.figure) ||
      order.indexOf(a.who) - order.indexOf(b.who),
  );
}
