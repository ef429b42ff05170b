import type { HeldStep, LedgerReader } from '../../ledger/reader.ts';
import { explainQuestions } from './explain-questions.ts';
import { explainSteps } from './explain-steps.ts';
import type { EarlierRun, ExplainedExecution, ExplainedStep, RepeatedStep } from './explanation.ts';
import { sumUsage } from './sum-usage.ts';

/** A key that is made new without end: the latest runs count. */
const MOST = 10;

/** What the ledger has of runs that had the key before, oldest first. */
export interface Before {
  run: EarlierRun;
  records: HeldStep[];
}

/**
 * Reads the runs that had the key before.
 *
 * @throws {AgentOnceError} of the ledger
 */
export async function readBefore(
  ledger: LedgerReader,
  executions: readonly ExplainedExecution[],
  scope: string,
): Promise<Before[]> {
  const runs = new Map<string, ExplainedExecution[]>();
  for (const each of executions) {
    if (each.scope === null || each.scope === scope || each.intent === 'forgotten') continue;
    runs.set(each.scope, [...(runs.get(each.scope) ?? []), each]);
  }
  return Promise.all([...runs].slice(-MOST).map(([earlier, own]) => readRun(ledger, earlier, own)));
}

async function readRun(
  ledger: LedgerReader,
  scope: string,
  executions: readonly ExplainedExecution[],
): Promise<Before> {
  const records = await ledger.steps(scope);
  const last = executions.at(-1);
  const runId = last?.runId ?? '';
  const questions = explainQuestions(await ledger.questions(scope), { runId, waiting: [] });
  const steps = explainSteps(records, runId, questions);
  const runIds = executions.map(({ runId }) => runId);
  const status = last?.status ?? 'gone';
  return { run: { scope, executions: runIds, status, steps, usage: sumUsage(steps) }, records };
}

/** The steps, each with the earlier runs' steps that made the same effect: tool and arguments. */
export function withRepeats(
  steps: readonly ExplainedStep[],
  records: readonly HeldStep[],
  before: readonly Before[],
): ExplainedStep[] {
  const earlier = before.flatMap(({ run, records: those }) =>
    run.steps.map((step, at) => ({ step, digest: those[at]?.digest })),
  );
  return steps.map((step, at) => {
    if (!mayHaveHappened(step)) return step;
    const repeats = earlier.flatMap(({ step: other, digest }): RepeatedStep[] => {
      const { id, token, happened, executedIn } = other;
      const same = other.tool === step.tool && digest === records[at]?.digest;
      return same && happened !== null && mayHaveHappened(other)
        ? [{ id, token, happened, executedIn }]
        : [];
    });
    return { ...step, repeats };
  });
}

function mayHaveHappened({ happened }: ExplainedStep): boolean {
  return happened === 'yes' || happened === 'maybe';
}
