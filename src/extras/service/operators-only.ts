import type { ExplainedStep, Explanation, PublicExplanation } from '../explain/explanation.ts';
import { nextActions, type NextAction } from '../explain/next-actions.ts';
import type { Caller } from './api-keys/port.ts';

/** An explanation of which a caller may not see everything. */
export interface ShownExplanation extends PublicExplanation {
  namespace: string | null;
  ui: string | null;
  /** What `explain` says under "Next", as data. */
  next: NextAction[];
}

/**
 * What a caller may see of an explanation. Where the service, Temporal and the workers run is their
 * operator's to know: without the scope `admin` it is `null`, and a note says "a worker".
 */
export function explanationFor(caller: Caller, explanation: Explanation): ShownExplanation {
  const next = nextActions(explanation);
  if (isOperator(caller)) return { ...explanation, next };
  const { executions, steps, earlierRuns, live, notes } = explanation;
  const all = [steps, ...(earlierRuns ?? []).map((run) => run.steps)].flatMap((some) => some ?? []);
  const workers = new Set(all.flatMap(({ worker }) => worker ?? []));
  return {
    ...explanation,
    namespace: null,
    ui: null,
    executions: executions.map((execution) => ({
      ...execution,
      startedBy: null,
      stopped: execution.stopped && { ...execution.stopped, by: null },
    })),
    steps: steps && steps.map(withoutWorker),
    earlierRuns:
      earlierRuns && earlierRuns.map((run) => ({ ...run, steps: run.steps.map(withoutWorker) })),
    live: live && { ...live, pending: live.pending.map(withoutWorker) },
    notes: notes.map((note) => withoutNames(note, workers)),
    next,
  };
}

/** What a caller may see of steps. */
export function stepsFor(caller: Caller, steps: ExplainedStep[]): ExplainedStep[] {
  return isOperator(caller) ? steps : steps.map(withoutWorker);
}

function isOperator({ scopes }: Caller): boolean {
  return scopes.has('admin');
}

function withoutWorker<T extends { worker: string | null }>(of: T): T {
  return { ...of, worker: null };
}

function withoutNames(note: string, workers: Iterable<string>): string {
  let text = note;
  for (const worker of workers) text = text.replaceAll(` by ${worker} `, ' by a worker ');
  return text;
}
