import type { WorkflowExecutionDescription } from '@temporalio/client';
import { identify, type ClientContext, type RunIdentity } from '../../client/context.ts';
import { findExecution, getExecution, withQuestions } from '../../client/describe.ts';
import { readOutcome } from '../../client/outcome.ts';
import type { RunRef, RunView } from '../../client/types.ts';
import { isOpen, isShortened, memoOf, scopeOf, viewOf } from '../../client/view.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { FORGOTTEN } from '../../contract/names.ts';
import type { RunMemo } from '../../contract/run.ts';
import { DEFAULT_KEY_TTL_MS } from '../../contract/settings.ts';
import type { LedgerReader } from '../../ledger/reader.ts';
import { readBefore, withRepeats } from './earlier-runs.ts';
import { explainQuestions } from './explain-questions.ts';
import { explainSteps, withSharing } from './explain-steps.ts';
import type { Explanation } from './explanation.ts';
import { notesOn } from './notes.ts';
import { possiblyPaid } from './possibly-paid.ts';
import { definitionChanged, readExecutions, type Executions } from './read-executions.ts';
import { readLive } from './read-live.ts';
import { readRequest } from './read-request.ts';
import { sumUsage } from './sum-usage.ts';

/** Where the answer is found. */
export interface Sources {
  context: ClientContext;
  ledger: LedgerReader;
  /** Whether the run's input is wanted too; default: it is left out. */
  withInput?: boolean;
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

  const [described, found, now] = await Promise.all([
    open || forgotten ? viewOf(run, current) : readOutcome(context, run, current),
    readExecutions(context, run, current),
    open ? readLive(context, current) : null,
  ]);
  // The memo holds the first questions; all of them is what the run itself says.
  const view = now?.state && isShortened(current) ? withQuestions(described, now.state) : described;
  const { executions, memos } = found;
  const [held, request] = await Promise.all([
    readLedger(ledger, found, scope, view),
    findRequest(sources, run.workflowId, found, scope),
  ]);
  const { steps, earlierRuns } = held;
  const key = forgotten ? null : keyLife(view, memoOf(current));
  const explanation: Explanation = {
    workflowId: run.workflowId,
    namespace: context.temporal.options.namespace,
    agent: run.agent,
    tenant: run.tenant,
    key: view.key,
    status: forgotten ? 'forgotten' : view.status,
    startedAt: executions.find((each) => each.scope === scope)?.startedAt ?? view.startedAt,
    closedAt: forgotten ? view.startedAt : view.closedAt,
    result: view.result,
    error: view.error,
    keyExpiresAt: key?.expiresAt ?? null,
    keyTtlMs: key?.ttlMs ?? null,
    request,
    executions,
    scope,
    steps,
    ledgerError: held.ledgerError,
    questions: held.questions,
    waiting: view.waiting,
    ...(view.waitingMore === undefined ? {} : { waitingMore: view.waitingMore }),
    usage: steps && sumUsage(steps),
    possiblyPaid: steps && possiblyPaid(steps),
    earlierRuns,
    reportedUsage: view.usage,
    definitionChanged: definitionChanged(executions, memos, scope),
    live: now?.live ?? null,
    notes: [],
    ui: urlOf(run.workflowId),
  };
  return { ...explanation, notes: notesOn(explanation, found) };
}

/** The current execution, a tombstone included. */
export async function findCurrent(
  context: ClientContext,
  run: RunIdentity,
): Promise<WorkflowExecutionDescription> {
  const found = await findExecution(context, run.workflowId);
  // Of anything else the client says that it is not there.
  return found?.type === FORGOTTEN ? found : getExecution(context, run);
}

/** What the ledger has of the run in this scope, and of those before it. */
async function readLedger(
  ledger: LedgerReader,
  { executions }: Executions,
  scope: string,
  view: RunView,
): Promise<Pick<Explanation, 'steps' | 'questions' | 'earlierRuns' | 'ledgerError'>> {
  try {
    const records = await ledger.steps(scope);
    const questions = explainQuestions(await ledger.questions(scope), view);
    const before = await readBefore(ledger, executions, scope);
    return {
      steps: await withSharing(
        ledger,
        withRepeats(explainSteps(records, view.runId, questions), records, before),
      ),
      questions,
      earlierRuns: before.map(({ run }) => run),
      ledgerError: null,
    };
  } catch (error) {
    if (!(error instanceof AgentOnceError)) throw error;
    const { code, message } = error;
    return { steps: null, questions: null, earlierRuns: null, ledgerError: { code, message } };
  }
}

/** What was asked for: every execution of a run that did not continue another has it. */
async function findRequest(
  { context, withInput }: Sources,
  workflowId: string,
  { executions, arguments: all }: Executions,
  scope: string,
): Promise<Explanation['request']> {
  for (const execution of executions) {
    const argument = execution.scope === scope ? all.get(execution.runId) : undefined;
    const found =
      argument && (await readRequest(context, { workflowId, argument }, withInput === true));
    if (found) return found;
  }
  return null;
}

function keyLife(
  { closedAt, key }: RunView,
  memo: Partial<RunMemo>,
): { ttlMs: number; expiresAt: string | null } | null {
  // A fingerprint in the place of a key counts for as long as each caller says.
  if (key === `fingerprint-${memo.fingerprint}`) return null;
  const ttlMs = memo.ttlMs ?? DEFAULT_KEY_TTL_MS;
  const expires = closedAt === null ? null : new Date(Date.parse(closedAt) + ttlMs);
  return { ttlMs, expiresAt: expires?.toISOString() ?? null };
}
