import { identify, type ClientContext } from '../../client/context.ts';
import { findExecution } from '../../client/describe.ts';
import type { RunRef } from '../../client/types.ts';
import { scopeOf } from '../../client/view.ts';
import type { DecisionInput, ToldDecision } from '../../contract/decision.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import { openLedgerReader } from '../../ledger/open-ledger.ts';
import type { LedgerReader } from '../../ledger/reader.ts';
import { findStanding, outcomeInLedger, type SoughtAnswer } from './standing-answer.ts';

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
