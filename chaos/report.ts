import type { ClassTally, Verdict } from './verdict.ts';

export interface Report extends Verdict {
  seed: number;
  runs: number;
  /** Starts of them, duplicates included. */
  starts: number;
  /** Workers that were killed. */
  kills: number;
  /** Workers that were stopped past their lease, and continued. */
  zombies: number;
  /** Worker processes that there were. */
  workers: number;
  /** Requests whose effect the shop had, and then it broke the connection. */
  droppedAnswers: number;
  /** Questions that a person answered, by the answer. */
  answersOfPeople: Record<string, number>;
  /** No run ended any more: the rest is not known. */
  stuck: boolean;
  /** The faults in the order in which they were planned. */
  schedule: string[];
  /** How often each fault was done. */
  faults: Record<string, number>;
  /** Faults that no step reached in time, and that were done at another moment. */
  missed: string[];
  seconds: number;
}

const SHOWN_FINDINGS = 20;

/** What each class promises, in few words. */
const PROMISES: Record<ClassTally['class'], string> = {
  read: 'any number',
  keyed: 'exactly once',
  transactional: 'exactly once',
  reconcile: 'twice only late, and reported',
  'at-most-once': 'twice only late, and reported',
  model: 'asked again only if reported',
};

/** The report for people. */
export function drawReport(report: Report): string {
  const { classes, findings, clean } = report;
  const answers = Object.entries(report.answersOfPeople).map(([what, n]) => `${n} ${what}`);
  const lines = [
    `Seed ${report.seed} · ${report.seconds} s`,
    `${report.runs} runs by ${report.starts} starts · ${report.workers} worker processes, ${report.kills} killed, ${report.zombies} stopped past their lease and continued`,
    `${report.droppedAnswers} answers of the shop lost · people asked: ${answers.join(', ') || 'none'}`,
    `Faults: ${drawFaults(report.faults)}`,
    ...(report.missed.length === 0 ? [] : [`Not reached in time: ${report.missed.join(', ')}`]),
    '',
    ...drawTable(classes),
    '',
    ...(report.stuck
      ? ['No run ended any more; what was still open is counted as it stood.', '']
      : []),
  ];
  if (clean) {
    lines.push('Every promise was kept.');
    return lines.join('\n');
  }
  lines.push(
    `${findings.length} ${findings.length === 1 ? 'promise was' : 'promises were'} broken:`,
  );
  for (const { what, where, text } of findings.slice(0, SHOWN_FINDINGS)) {
    lines.push(`  ${what}: ${where}: ${text}`);
  }
  if (findings.length > SHOWN_FINDINGS) {
    lines.push(`  … and ${findings.length - SHOWN_FINDINGS} more: --json has them all.`);
  }
  return lines.join('\n');
}

function drawTable(classes: readonly ClassTally[]): string[] {
  const cells = [
    ['class', 'promise', 'wanted', 'counted', 'attempts', 'once', 'more', 'reported', 'lost'],
    ...classes.map((row) => [
      row.class,
      PROMISES[row.class],
      ...[row.wanted, row.counted, row.attempts, row.once, row.doubled, row.reported, row.lost].map(
        String,
      ),
    ]),
  ];
  const widths = cells[0]?.map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  const lines = cells.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths?.[column] ?? 0)).join(' | ')} |`,
  );
  const rule = `| ${(widths ?? []).map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [lines[0] ?? '', rule, ...lines.slice(1)];
}

/** Kinds only: thirty fault points are no reading. */
function drawFaults(faults: Readonly<Record<string, number>>): string {
  const kinds = new Map<string, number>();
  for (const [name, times] of Object.entries(faults)) {
    const [kind = name, of] = name.split(':');
    const shown = ['cut', 'silence', 'delay', 'restart'].includes(kind) ? `${kind} of ${of}` : kind;
    kinds.set(shown, (kinds.get(shown) ?? 0) + times);
  }
  return [...kinds].map(([kind, times]) => `${times} ${kind}`).join(', ') || 'none';
}
