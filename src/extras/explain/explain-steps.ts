import { defined } from '../../contract/defined.ts';
import { isShadow, OUTSIDE_TURNS, tokenOf } from '../../contract/step.ts';
import type { HeldStep, LedgerReader } from '../../ledger/reader.ts';
import { withAnswers } from './explain-questions.ts';
import type { ExplainedQuestion, ExplainedStep, Happened } from './explanation.ts';
import {
  answeredBy,
  callsNotRun,
  callSummaries,
  summariseAnswer,
  tokenParts,
} from './turn-summary.ts';

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
  // The ledger has those last that are of no turn: what stays keeps its place.
  const ofTurns = records.filter(({ turn }) => turn !== OUTSIDE_TURNS);
  return ofTurns.map((record) =>
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
    ...defined({ answeredBy: answeredBy(record) }),
    tool: isModel ? null : name,
    summary: (isModel ? summariseAnswer(record.result) : summaryOf(record, callSummary)) ?? null,
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
    ...(!done && record.asking?.pending ? { isPending: true } : {}),
    claimedAt,
    endedAt,
    durationMs:
      claimedAt === null || endedAt === null ? null : Date.parse(endedAt) - Date.parse(claimedAt),
    usage:
      inputTokens === null || outputTokens === null
        ? null
        : { inputTokens, outputTokens, costUsd, ...tokenParts(record.result) },
    ...(record.sharedWith === null
      ? {}
      : { sharing: { with: record.sharedWith, steps: null, costUsd: null, shareUsd: null } }),
    ...(record.askedDigest === null
      ? {}
      : { edited: { asked: record.askedRequest, approved: record.request, by: null } }),
  };
}

/** The model's answer has the summary of what the model asked for. */
function summaryOf({ askedDigest }: HeldStep, summary: string | undefined): string | undefined {
  return summary === undefined || askedDigest === null ? summary : `${summary} (changed)`;
}

type Outcome = Pick<HeldStep, 'effect' | 'state' | 'knownBy' | 'scope'>;

/**
 * Whether a step's effect happened, as far as its record tells. An error alone does not: a request
 * may have been served, and its answer lost.
 */
export function whetherHappened({ effect, state, knownBy, scope }: Outcome): Happened | null {
  if (effect === null || effect === 'read') return null;
  if (isShadow(scope)) return 'no';
  switch (state) {
    case 'completed':
      return knownBy === 'shadow' ? 'no' : 'yes';
    case 'planned':
      return 'no';
    case 'failed':
      // It was rolled back; an at-most-once tool fails only when it is certain that nothing happened.
      return effect === 'transactional' || effect === 'at-most-once' ? 'no' : 'maybe';
    case 'claimed':
    case 'unknown':
      return 'maybe';
  }
}

/** Adds to each step with whom it shares its result, where it does. */
export async function withSharing(
  ledger: LedgerReader,
  steps: readonly ExplainedStep[],
): Promise<ExplainedStep[]> {
  const tokens = [...new Set(steps.map(groupOf))];
  const found = (await ledger.sharing?.(tokens)) ?? [];
  const groups = new Map(found.map((group) => [group.token, group]));
  return steps.map((step) => {
    const token = groupOf(step);
    const group = groups.get(token);
    const others = step.sharing !== undefined || (group !== undefined && group.steps > 1);
    if (!others) return step;
    const { steps: sharers = null, costUsd = null } = group ?? {};
    const shareUsd = costUsd === null || sharers === null ? null : costUsd / sharers;
    return { ...step, sharing: { with: token, steps: sharers, costUsd, shareUsd } };
  });
}

/** Token of the step that made what this one has. */
function groupOf({ sharing, token }: ExplainedStep): string {
  return sharing?.with ?? token;
}
