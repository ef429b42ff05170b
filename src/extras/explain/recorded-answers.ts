import { identify, type ClientContext } from '../../client/context.ts';
import { findExecution } from '../../client/describe.ts';
import type { RunRef } from '../../client/types.ts';
import { scopeOf } from '../../client/view.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { openLedgerReader } from '../../ledger/open-ledger.ts';
import type { LedgerReader } from '../../ledger/reader.ts';
import {
  isAnswerTo,
  type DecisionInput,
  type QuestionKind,
  type ToldDecision,
} from '../../contract/decision.ts';
import { canonicalJson, type JsonValue } from '../../contract/json.ts';
import { LIMITS } from '../../contract/limits.ts';
import { cutToBytes } from '../../contract/text-bytes.ts';
import type { AskedQuestion } from '../../ledger/port.ts';

/** Where the ledger is, and which run it is asked about. */
export interface LedgerQuery {
  context: ClientContext;
  ledgerUrl: string;
  run: RunRef;
}

/** What a call was planned with; `undefined`: the ledger cannot be read from here. */
export function readArguments(query: LedgerQuery, step: string): Promise<JsonValue | undefined> {
  return readLedger(query, async (ledger, scope) => {
    const steps = await ledger.steps(scope);
    return steps.find((each) => each.step === step)?.request ?? undefined;
  });
}

/** See `findStanding`; also `undefined` where the ledger cannot be read from here. */
export function findAnswer(
  query: LedgerQuery,
  sought: SoughtAnswer,
): ReturnType<typeof findStanding> {
  return readLedger(query, (ledger, scope) => findStanding(ledger, scope, sought));
}

/** See `outcomeInLedger`; also `undefined` where the ledger cannot be read from here. */
export function findOutcome(
  query: LedgerQuery,
  answer: DecisionInput,
): Promise<ToldDecision | undefined> {
  return readLedger(query, (ledger, scope) => outcomeInLedger(ledger, scope, answer));
}

async function readLedger<T>(
  { context, ledgerUrl, run }: LedgerQuery,
  read: (ledger: LedgerReader, scope: string) => Promise<T>,
): Promise<T | undefined> {
  const execution = await findExecution(context, identify(context, run).workflowId);
  if (!execution) return undefined;
  let ledger: LedgerReader | undefined;
  try {
    ledger = await openLedgerReader(ledgerUrl);
    return await read(ledger, scopeOf(execution));
  } catch (error) {
    if (error instanceof AgentOnceError && error.code.startsWith('ledger.')) return undefined;
    throw error;
  } finally {
    await ledger?.close();
  }
}

/** An answer, and to which question: the fields that are absent may be anything. */
type SoughtAnswer = Pick<DecisionInput, 'decision' | 'result' | 'round' | 'arguments'> & {
  step: string | undefined;
  kind?: QuestionKind;
};

/**
 * The answer that stands where a run does not ask any more, and whether it is the same: a decision
 * that is repeated after its answer was lost is no error. `undefined`: there is none, or which one
 * is meant is not certain.
 */
async function findStanding(
  ledger: LedgerReader,
  scope: string,
  sought: SoughtAnswer,
): Promise<{ question: AskedQuestion; same: boolean; approved?: string } | undefined> {
  const { decision, result, arguments: args } = sought;
  const answered = (await ledger.questions(scope)).filter(
    (question) => question.decision !== null && isMeant(question, sought),
  );
  const question = answered.at(-1);
  if (!question || answered.some((each) => each.step !== question.step)) return undefined;
  if (question.decision !== decision) return { question, same: false };
  const { approvedDigest } = question;
  const isEdit = args !== undefined || approvedDigest !== null;
  if (decision !== 'happened' && !isEdit) return { question, same: true };
  const record = (await ledger.steps(scope)).find((each) => each.step === question.step);
  if (decision === 'happened') {
    return { question, same: sameJson(record?.result ?? null, result ?? null) };
  }
  const { request = null, askedDigest = null } = record ?? {};
  // Arguments that are equal to those of the call are a plain approval.
  const same = args === undefined ? approvedDigest === null : sameJson(args, request);
  return { question, same, ...(askedDigest === null ? {} : { approved: preview(request) }) };
}

/**
 * What became of a decision that no running run can tell of: as `Ledger.decide` would say, and
 * `undefined` where it counted for nothing.
 */
export async function outcomeInLedger(
  ledger: LedgerReader,
  scope: string,
  answer: DecisionInput,
): Promise<ToldDecision | undefined> {
  const standing = await findStanding(ledger, scope, answer);
  if (standing) {
    const { question, same, approved } = standing;
    const { decision, by, decidedAt } = question;
    const told = approved === undefined ? {} : { approved };
    return { outcome: same ? 'repeated' : 'conflict', decision, by, decidedAt, ...told };
  }
  const open = (await ledger.questions(scope)).find(
    (question) => question.kind === 'outcome' && isMeant(question, answer),
  );
  if (!open) return undefined;
  const record = (await ledger.steps(scope)).find(({ step }) => step === open.step);
  return record?.state === 'completed'
    ? { outcome: 'settled', decision: null, by: null, decidedAt: null }
    : undefined;
}

function isMeant(question: AskedQuestion, { step, kind, round, decision }: SoughtAnswer): boolean {
  return (
    (step === undefined || question.step === step) &&
    (round === undefined || question.round === round) &&
    (kind === undefined ? isAnswerTo(question.kind, decision) : question.kind === kind)
  );
}

function preview(value: JsonValue): string {
  return cutToBytes(JSON.stringify(value), LIMITS.previewBytes, ' …');
}

function sameJson(a: JsonValue, b: JsonValue): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
