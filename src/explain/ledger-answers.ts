import { identify, type ClientContext } from '../client/context.ts';
import { findExecution } from '../client/describe.ts';
import type { RunRef } from '../client/types.ts';
import { scopeOf } from '../client/view.ts';
import { ANSWERS, type DecisionInput, type QuestionKind } from '../contract/decision.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { canonicalJson, type JsonValue } from '../contract/json.ts';
import type { AskedQuestion } from '../ledger/port.ts';
import { openLedgerReader } from '../ledger/open-ledger.ts';
import type { LedgerReader } from '../ledger/reader.ts';

/** Where the ledger is, and which run it is asked about. */
export interface LedgerQuery {
  context: ClientContext;
  ledgerUrl: string;
  run: RunRef;
}

/** An answer, and to which question: the fields that are absent may be anything. */
type Answer = Pick<DecisionInput, 'decision' | 'result'> & {
  step: string | undefined;
  kind?: QuestionKind;
};

/** What a call was planned with; `undefined`: the ledger cannot be read from here. */
export function readArguments(query: LedgerQuery, step: string): Promise<JsonValue | undefined> {
  return readLedger(query, async (ledger, scope) => {
    const steps = await ledger.steps(scope);
    return steps.find((each) => each.step === step)?.request ?? undefined;
  });
}

/**
 * The answer that stands where a run does not ask any more, and whether it is the same: a command
 * that is repeated after its answer was lost is no error. `undefined`: there is none, or which one
 * is meant is not certain.
 */
export function findAnswer(
  query: LedgerQuery,
  { step, kind, decision, result }: Answer,
): Promise<{ question: AskedQuestion; same: boolean } | undefined> {
  return readLedger(query, async (ledger, scope) => {
    const answered = (await ledger.questions(scope)).filter(
      (each) =>
        each.decision !== null &&
        (step === undefined || each.step === step) &&
        (kind === undefined
          ? ANSWERS[each.kind].some((answer) => answer === decision)
          : each.kind === kind),
    );
    const question = answered.at(-1);
    if (!question || answered.some((each) => each.step !== question.step)) return undefined;
    if (question.decision !== decision) return { question, same: false };
    if (decision !== 'happened') return { question, same: true };
    const record = (await ledger.steps(scope)).find((each) => each.step === question.step);
    return { question, same: sameJson(record?.result ?? null, result ?? null) };
  });
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

function sameJson(a: JsonValue, b: JsonValue): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
