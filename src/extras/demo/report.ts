import pc from 'picocolors';

/** A number of the report: what was read, and what was promised. */
export interface Finding {
  what: string;
  /** Who was asked. */
  from: string;
  value: number | string;
  /** In words, such as `1` or `at least 2`. */
  promised: string;
  kept: boolean;
}

export function exactly(
  what: string,
  from: string,
  value: number | string,
  promised: number | string,
): Finding {
  return { what, from, value, promised: String(promised), kept: value === promised };
}

export function atLeast(what: string, from: string, value: number, promised: number): Finding {
  return { what, from, value, promised: `at least ${promised}`, kept: value >= promised };
}

/** The report as a table of text. */
export function drawReport(findings: readonly Finding[], colours = pc): string {
  const width = (text: (finding: Finding) => string, heading: string) =>
    Math.max(heading.length, ...findings.map((finding) => text(finding).length));
  const what = width((finding) => finding.what, 'what');
  const from = width((finding) => finding.from, 'read from');
  const value = width((finding) => String(finding.value), 'found');
  const head = `  ${'what'.padEnd(what)}  ${'read from'.padEnd(from)}  ${'found'.padStart(value)}  promised`;
  const rows = findings.map((finding) => {
    const mark = finding.kept ? colours.green('✓') : colours.red('✗');
    const found = String(finding.value).padStart(value);
    return `${mark} ${finding.what.padEnd(what)}  ${colours.dim(finding.from.padEnd(from))}  ${finding.kept ? found : colours.red(found)}  ${finding.promised}`;
  });
  return [colours.dim(head), ...rows].join('\n');
}
