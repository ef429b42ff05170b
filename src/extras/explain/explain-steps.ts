import { tokenOf } from '../../contract/step.ts';
import type { HeldStep } from '../../ledger/reader.ts';
import { whetherHappened } from './effect-outcome.ts';
import { withAnswers } from './explain-questions.ts';
import type { ExplainedQuestion, ExplainedStep } from './explanation.ts';
import { callsNotRun, callSummaries, summariseAnswer } from './turn-summary.ts';

/**
 * The steps of a scope as a person wants to know them.
 *
 * @param currentRunId the execution that "executed" is about
 * @param questions what people were asked about them: an answer may be all that is known of one
 */
export function explainSteps(
  records: readonly HeldStep[],
  currentRunId: string,
  questions: readonly ExplainedQuestion[] = [],
): ExplainedStep[] {
  const summaries = new Map(records.flatMap((record) => [...callSummaries(record)]));
  return records.map((record) =>
    withAnswers(explainStep(record, currentRunId, summaries.get(record.step)), questions),
  );
}

function explainStep(
  record: HeldStep,
  currentRunId: string,
  callSummary: string | undefined,
): ExplainedStep {
  const { kind, name, state, claimedAt, endedAt, inputTokens, outputTokens, costUsd } = record;
  const isModel = kind === 'model';
  const done = state === 'completed';
  return {
    id: record.step,
    turn: record.turn,
    kind,
    model: isModel ? name : null,
    tool: isModel ? null : name,
    summary: (isModel ? summariseAnswer(record.result) : callSummary) ?? null,
    token: tokenOf(record.scope, record.step),
    effect: record.effect,
    happened: whetherHappened(record),
    notRun: callsNotRun(record),
    repeats: [],
    state,
    attempts: record.attempts,
    lastAttempts: record.runAttempts,
    unknownAttempts: record.unknownAttempts,
    errors: record.errors,
    knownBy: done
      ? (record.knownBy ?? (record.runId === currentRunId ? 'executed' : 'ledger'))
      : null,
    decidedBy: null,
    decision: null,
    executedIn: state === 'planned' ? null : record.runId,
    unusableAnswers: record.unusableAnswers,
    possiblyPaidTwice: isModel && record.unknownAttempts > 0,
    worker: record.worker,
    leaseLeftMs: record.leaseLeftMs,
    claimedAt,
    endedAt,
    durationMs:
      claimedAt === null || endedAt === null ? null : Date.parse(endedAt) - Date.parse(claimedAt),
    usage:
      inputTokens === null || outputTokens === null ? null : { inputTokens, outputTokens, costUsd },
    ...(record.sharedWith === null
      ? {}
      : { sharing: { with: record.sharedWith, steps: null, costUsd: null, shareUsd: null } }),
  };
}
