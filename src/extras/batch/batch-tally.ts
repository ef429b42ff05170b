import type { BatchOutcome } from './batch.ts';
import type { RunView } from '../../client/types.ts';
import type { AgentOnceError } from '../../contract/errors.ts';
import { NO_USAGE, type Usage } from '../../contract/run.ts';
import { addUsage } from '../../contract/step.ts';
import { EXIT } from '../../cli/commands.ts';

/** How many lines ended how; fields of the command's `--json`. */
export interface BatchCounts {
  /** All of the batch. */
  lines: number;
  completed: number;
  /** Of the completed ones, those that were there before. */
  replayed: number;
  /** Lines that went on where a failed run had stopped. */
  resumed: number;
  /** Failed, cancelled, or refused. */
  failed: number;
  conflicts: number;
  waiting: number;
  /** Under way when the waiting ended, or Temporal could not be asked. */
  underWay: number;
  notStarted: number;
}

/** A line without a completed run. */
export interface BatchFailure {
  line: number;
  key: string;
  code: string;
  message: string;
}

/** A line whose run waits for a person. */
export interface BatchWaiting {
  line: number;
  key: string;
  waits: Pick<RunView, 'waiting' | 'waitingMore'>;
}

/** What is kept of a batch while it runs: numbers, and the lines that went wrong. */
export interface BatchTally {
  counts: BatchCounts;
  usage: Usage;
  failures: BatchFailure[];
  conflicts: number[];
  waiting: BatchWaiting[];
  definitionChanged: number;
}

export function createTally(lines: number): BatchTally {
  const counts = {
    lines,
    completed: 0,
    replayed: 0,
    resumed: 0,
    failed: 0,
    conflicts: 0,
    waiting: 0,
    underWay: 0,
    notStarted: lines,
  };
  return {
    counts,
    usage: { ...NO_USAGE },
    failures: [],
    conflicts: [],
    waiting: [],
    definitionChanged: 0,
  };
}

export function addOutcome(tally: BatchTally, outcome: BatchOutcome): void {
  const { counts } = tally;
  const { line, key, state, run, error } = outcome;
  counts.notStarted--;
  if (run?.resumed && !run.replayed) counts.resumed++;
  if (run?.definitionChanged && !run.replayed) tally.definitionChanged++;
  switch (state) {
    case 'completed':
      counts.completed++;
      if (run?.replayed) counts.replayed++;
      break;
    case 'conflict':
      counts.conflicts++;
      tally.conflicts.push(line);
      break;
    case 'waiting':
      counts.waiting++;
      tally.waiting.push({ line, key, waits: run ?? { waiting: [] } });
      break;
    case 'running':
    case 'unknown':
      counts.underWay++;
      break;
    default:
      counts.failed++;
      tally.failures.push({
        line,
        key,
        code: error?.code ?? 'run.failed',
        message: error?.message ?? '',
      });
  }
  // A run that is not over has not used what it will have used.
  if (run && run.closedAt !== null) addRun(tally.usage, run.usage);
}

/** How the command ends: the worst of its lines, what a person must do first above what can wait. */
export function exitCodeOfBatch(
  { counts }: BatchTally,
  how: { problem: AgentOnceError | undefined; interrupted: boolean },
): number {
  if (how.problem) return how.problem.exitCode;
  if (how.interrupted && counts.underWay + counts.notStarted > 0) return EXIT.interrupted;
  if (counts.conflicts > 0) return EXIT.conflict;
  if (counts.failed > 0) return EXIT.failed;
  if (counts.waiting > 0) return EXIT.waiting;
  return counts.underWay + counts.notStarted > 0 ? EXIT.stillRunning : EXIT.done;
}

/** A cost that is not known makes the sum unknown, not smaller. */
function addRun(sum: Usage, usage: Usage | null): void {
  Object.assign(sum, addUsage(sum, usage));
  for (const field of ['turns', 'modelCalls', 'toolCalls'] as const) {
    sum[field] += usage?.[field] ?? 0;
  }
}
