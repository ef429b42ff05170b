import type { Answer } from './answer.ts';
import type { Breach } from './judge.ts';
import { OPERATIONS, SURFACES } from './operations.ts';

export interface FuzzReport {
  seed: number;
  seconds: number;
  processes: number;
  /** Calls that were answered, by `operation surface code`. */
  calls: Record<string, number>;
  /** Executions of runs that there were under the keys. */
  runs: number;
  /** Times that a key was forgotten. */
  forgotten: number;
  effects: number;
  modelRequests: number;
  /** Questions that the person of the fuzz answered. */
  answered: number;
  workersKilled: number;
  breaches: Breach[];
  clean: boolean;
}

const SHOWN_BREACHES = 20;

export function countCalls(answers: readonly Answer[]): Record<string, number> {
  const calls: Record<string, number> = {};
  for (const { operation, surface, code } of answers) {
    const name = `${operation} ${surface} ${code}`;
    calls[name] = (calls[name] ?? 0) + 1;
  }
  return calls;
}

/** The report for people. */
export function drawFuzzReport(report: FuzzReport): string {
  const { breaches, calls } = report;
  const total = Object.values(calls).reduce((sum, times) => sum + times, 0);
  const lines = [
    `Seed ${report.seed} · ${report.seconds} s · ${report.processes} client processes · ${report.workersKilled} workers killed`,
    `${total} calls · ${report.runs} runs · ${report.forgotten} times forgotten · ${report.effects} effects · ${report.modelRequests} model requests · ${report.answered} questions answered at the shop's word`,
    '',
    ...drawCalls(calls),
    '',
  ];
  if (breaches.length === 0) return [...lines, 'Nothing was found.'].join('\n');
  lines.push(`${breaches.length} found:`);
  for (const { what, where, text } of breaches.slice(0, SHOWN_BREACHES)) {
    lines.push(`  ${what}: ${where}: ${text}`);
  }
  if (breaches.length > SHOWN_BREACHES) {
    lines.push(`  … and ${breaches.length - SHOWN_BREACHES} more: --json has them all.`);
  }
  lines.push(
    `To look further: npm run fuzz -- --seed ${report.seed} --keep FOLDER; fuzz/README.md.`,
  );
  return lines.join('\n');
}

/** A line for each operation: how often each code came, on all surfaces together. */
function drawCalls(calls: Readonly<Record<string, number>>): string[] {
  return OPERATIONS.map((operation) => {
    const codes = new Map<string, number>();
    for (const [name, times] of Object.entries(calls)) {
      const surface = SURFACES.find((one) => name.startsWith(`${operation} ${one} `));
      if (surface === undefined) continue;
      const code = name.slice(`${operation} ${surface} `.length);
      codes.set(code, (codes.get(code) ?? 0) + times);
    }
    const told = [...codes].toSorted(([, a], [, b]) => b - a).map(([code, n]) => `${n} ${code}`);
    return `${operation.padEnd(7)} ${told.join(', ') || 'never'}`;
  });
}
