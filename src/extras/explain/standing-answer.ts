import {
  takes,
  type DecisionInput,
  type QuestionKind,
  type ToldDecision,
} from '../../contract/decision.ts';
import { canonicalJson, type JsonValue } from '../../contract/json.ts';
import type { AskedQuestion } from '../../ledger/port.ts';
import type { LedgerReader } from '../../ledger/reader.ts';

/** An answer, and to which question: the fields that are absent may be anything. */
export type SoughtAnswer = Pick<DecisionInput, 'decision' | 'result' | 'round'> & {
  step: string | undefined;
  kind?: QuestionKind;
};

/**
 * The answer that stands where a run does not ask any more, and whether it is the same: a decision
 * that is repeated after its answer was lost is no error. `undefined`: there is none, or which one
 * is meant is not certain.
 */
export async function findStanding(
  ledger: LedgerReader,
  scope: string,
  sought: SoughtAnswer,
): Promise<{ question: AskedQuestion; same: boolean } | undefined> {
  const { decision, result } = sought;
  const answered = (await ledger.questions(scope)).filter(
    (question) => question.decision !== null && isMeant(question, sought),
  );
  const question = answered.at(-1);
  if (!question || answered.some((each) => each.step !== question.step)) return undefined;
  if (question.decision !== decision) return { question, same: false };
  if (decision !== 'happened') return { question, same: true };
  const record = (await ledger.steps(scope)).find((each) => each.step === question.step);
  return { question, same: sameJson(record?.result ?? null, result ?? null) };
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
    const { question, same } = standing;
    const { decision, by, decidedAt } = question;
    return { outcome: same ? 'repeated' : 'conflict', decision, by, decidedAt };
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
    (kind === undefined ? takes(question.kind, decision) : question.kind === kind)
  );
}

function sameJson(a: JsonValue, b: JsonValue): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
