/** A time series at one moment. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** What a text of Prometheus's exposition format has; what it must not have is an error. */
export function parseExposition(text: string): { types: Map<string, string>; samples: Sample[] } {
  const types = new Map<string, string>();
  const samples = new Map<string, Sample>();
  for (const line of text.split('\n')) {
    const [, of, type] = /^# TYPE (\S+) (\w+)$/.exec(line) ?? [];
    if (of !== undefined && type !== undefined) {
      if (types.has(of)) throw new Error(`${of} is there twice.`);
      types.set(of, type);
    }
    if (line === '' || line.startsWith('#')) continue;
    const [, name, inside = '', value] = /^([a-z_]\w*)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? [];
    if (name === undefined) throw new Error(`No line of the format: ${line}`);
    const labels = Object.fromEntries(
      [...inside.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, is]) => [label, is]),
    ) as Record<string, string>;
    const series = `${name} ${JSON.stringify(labels, Object.keys(labels).sort())}`;
    if (samples.has(series)) throw new Error(`The series is there twice: ${line}`);
    samples.set(series, { name, labels, value: Number(value) });
  }
  return { types, samples: [...samples.values()] };
}

/** The sum of the series of a name that have these labels. */
export function sumOf(text: string, name: string, labels: Record<string, string> = {}): number {
  return parseExposition(text)
    .samples.filter(
      (sample) =>
        sample.name === name &&
        Object.entries(labels).every(([label, is]) => sample.labels[label] === is),
    )
    .reduce((sum, { value }) => sum + value, 0);
}
