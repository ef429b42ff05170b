/** A figure, measured several times. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** @throws {RangeError} of nothing there is no median */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined) throw new RangeError('No values');
  return (upper + lower) / 2;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * The least value that so many per cent of the values do not exceed.
 *
 * @throws {RangeError} of nothing there is none
 */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const found = sorted[Math.max(Math.ceil((sorted.length * percent) / 100) - 1, 0)];
  if (found === undefined) throw new RangeError('No values');
  return found;
}
