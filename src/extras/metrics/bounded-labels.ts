/** Stands for all values that came too late. */
const OTHER = 'other';

/**
 * Keeps the values of a label few: each one is a time series in Prometheus for ever.
 *
 * @param most values that are told; later ones are `other`
 */
export function boundedLabels(most: number): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= most) return OTHER;
    known.add(value);
    return value;
  };
}
