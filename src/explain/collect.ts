import type { WorkflowExecutionDescription } from '@temporalio/client';
import { identify, type ClientContext, type RunIdentity } from '../client/context.ts';
import { findExecution, getExecution } from '../client/describe.ts';
import { readOutcome } from '../client/outcome.ts';
import type { RunRef, RunView } from '../client/types.ts';
import { isOpen, memoOf, scopeOf, viewOf } from '../client/view.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { FORGOTTEN } from '../contract/names.ts';
import type { RunMemo } from '../contract/run.ts';
import { DEFAULT_KEY_TTL_MS } from '../contract/settings.ts';
import type { HeldStep, LedgerReader } from '../ledger/reader.ts';
import { explainSteps } from './explain-steps.ts';
import type { Explanation } from './explanation.ts';
import { definitionChanged } from './definition-changed.ts';
import { notesOn } from './notes.ts';
import { readExecutions } from './read-executions.ts';
import { readLive } from './read-live.ts';
import { sumUsage } from './sum-usage.ts';

/** Where the answer is found. */
export interface Sources {
  context: ClientContext;
  ledger: LedgerReader;
  /** Where Temporal UI shows a workflow. */
  urlOf: (workflowId: string) => string;
}

/**
 * Everything that is known of what happened under a key. Temporal's word is needed; without the
 * ledger's the answer is less, and says so (`ledgerError`).
 *
 * @throws {AgentOnceError} `name.invalid`, `key.invalid`, `run.not_found`, `temporal.…`
 */
export async function collect(sources: Sources, ref: RunRef): Promise<Explanation> {
  const { context, ledger, urlOf } = sources;
  const run = identify(context, ref);
  const current = await findCurrent(context, run);
  const forgotten = current.type === FORGOTTEN;
  const scope = scopeOf(current);
  const open = isOpen(current) && !forgotten;

  const [view, found, held, live] = await Promise.all([
    open || forgotten ? viewOf(run, current) : readOutcome(context, run, current),
    readExecutions(context, run, current),
    readSteps(ledger, scope),
    open ? readLive(context, current) : null,
  ]);
  const { executions, memos } = found;
  const steps = held.steps && explainSteps(held.steps, current.runId);
  const explanation: Explanation = {
    workflowId: run.workflowId,
    agent: run.agent,
    tenant: run.tenant,
    key: run.key,
    status: forgotten ? 'forgotten' : view.status,
    startedAt: executions.find((each) => each.scope === scope)?.startedAt ?? view.startedAt,
    closedAt: forgotten ? view.startedAt : view.closedAt,
    result: view.result,
    error: view.error,
    keyExpiresAt: forgotten ? null : keyExpiresAt(view, memoOf(current)),
    executions,
    scope,
    steps,
    ledgerError: held.error,
    usage: steps && sumUsage(steps),
    reportedUsage: view.usage,
    definitionChanged: definitionChanged(executions, memos, scope),
    live,
    notes: [],
    ui: urlOf(run.workflowId),
  };
  return { ...explanation, notes: notesOn(explanation, found) };
}

/** The current execution, a tombstone included. */
async function findCurrent(
  context: ClientContext,
  run: RunIdentity,
): Promise<WorkflowExecutionDescription> {
  const found = await findExecution(context, run.workflowId);
  // Of anything else the client says that it is not there.
  return found?.type === FORGOTTEN ? found : getExecution(context, run);
}

async function readSteps(
  ledger: LedgerReader,
  scope: string,
): Promise<{ steps: HeldStep[] | null; error: Explanation['ledgerError'] }> {
  try {
    return { steps: await ledger.steps(scope), error: null };
  } catch (error) {
    if (!(error instanceof AgentOnceError)) throw error;
    return { steps: null, error: { code: error.code, message: error.message } };
  }
}

function keyExpiresAt({ closedAt, key }: RunView, memo: Partial<RunMemo>): string | null {
  // A fingerprint in the place of a key counts for as long as each caller says.
  if (closedAt === null || key === `fingerprint-${memo.fingerprint}`) return null;
  return new Date(Date.parse(closedAt) + (memo.ttlMs ?? DEFAULT_KEY_TTL_MS)).toISOString();
}
