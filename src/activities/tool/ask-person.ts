import { Context } from '@temporalio/activity';
import type { Deadline, OpenQuestion } from '../../contract/decision.ts';
import { LIMITS } from '../../contract/limits.ts';
import { toolStep, type ToolStepInput } from '../../contract/step.ts';
import { cutToBytes } from '../../contract/text-bytes.ts';
import type { AskedQuestion, Ledger, UnknownAttempt } from '../../ledger/port.ts';

/**
 * Asks how an attempt ended; without one, whether the call may run.
 *
 * @returns the question, perhaps answered, and what the run shows of it
 */
export async function askPerson(
  ledger: Ledger,
  { run, turn, index, tool, digest, summary }: ToolStepInput,
  { ms, otherwise, validMs = 0, editable }: Deadline & { validMs?: number; editable?: boolean },
  attempt?: UnknownAttempt,
): Promise<{ question: AskedQuestion; shown: OpenQuestion }> {
  const { workflowId = '', runId = '' } = Context.current().info.workflowExecution ?? {};
  const step = toolStep(turn, index);
  const kind = attempt ? 'outcome' : 'approval';
  const fence = attempt?.fence ?? null;
  const about = {
    scope: run.scope,
    step,
    kind,
    digest,
    fence,
    validMs,
    workflowId,
    runId,
  } as const;
  const question = await ledger.ask(about);
  const { round, askedAt } = question;
  const deadline = new Date(Date.parse(askedAt) + ms).toISOString();
  const error = attempt?.error
    ? cutToBytes(attempt.error.message, LIMITS.questionErrorBytes)
    : null;
  // An attempt that the ledger has lost is known by its error alone.
  const known = { worker: attempt?.worker || null, claimedAt: attempt?.claimedAt || null, error };
  const shown = {
    step,
    kind,
    round,
    tool,
    summary,
    askedAt,
    deadline,
    otherwise,
    ...known,
    ...(editable ? { editable } : {}),
  } as const;
  return { question, shown };
}
