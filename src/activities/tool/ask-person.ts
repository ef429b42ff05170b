import { Context } from '@temporalio/activity';
import type { Deadline, OpenQuestion } from '../../contract/decision.ts';
import { LIMITS } from '../../contract/limits.ts';
import { toolStep, type ToolStepInput } from '../../contract/step.ts';
import { cutToBytes } from '../../contract/text-bytes.ts';
import type { AskedQuestion, Ledger, UnknownAttempt } from '../../ledger/port.ts';
import { failStep, judge } from '../step/failures.ts';

/** A question of this call and its answer, if there is one; `shown` is what the run shows of it. */
export interface Asked {
  question: AskedQuestion;
  shown: OpenQuestion;
}

/** Asks whether the call may run. */
export function askApproval(
  ledger: Ledger,
  input: ToolStepInput,
  terms: Deadline & { validMs: number },
): Promise<Asked> {
  return ask(ledger, input, terms, { kind: 'approval', fence: null, validMs: terms.validMs });
}

/** Asks how an attempt ended. */
export function askOutcome(
  ledger: Ledger,
  input: ToolStepInput,
  terms: Deadline,
  attempt: UnknownAttempt,
): Promise<Asked> {
  const { fence, worker, claimedAt, error } = attempt;
  return ask(
    ledger,
    input,
    terms,
    { kind: 'outcome', fence, validMs: 0 },
    {
      // An attempt that the ledger has lost is known by its error alone.
      worker: worker || null,
      claimedAt: claimedAt || null,
      error: error && cutToBytes(error.message, LIMITS.questionErrorBytes),
    },
  );
}

async function ask(
  ledger: Ledger,
  { run, turn, index, tool, digest, summary }: ToolStepInput,
  terms: Deadline,
  about: { kind: OpenQuestion['kind']; fence: string | null; validMs: number },
  attempt: Pick<OpenQuestion, 'worker' | 'claimedAt' | 'error'> = {
    worker: null,
    claimedAt: null,
    error: null,
  },
): Promise<Asked> {
  const { workflowId = '', runId = '' } = Context.current().info.workflowExecution ?? {};
  const step = toolStep(turn, index);
  let question: AskedQuestion;
  try {
    question = await ledger.ask({ scope: run.scope, step, digest, workflowId, runId, ...about });
  } catch (error) {
    throw failStep(judge(error, 'step.failed'));
  }
  const { round, askedAt } = question;
  const deadline = new Date(Date.parse(askedAt) + terms.ms).toISOString();
  const { kind } = about;
  const { otherwise } = terms;
  return {
    question,
    shown: { step, kind, round, tool, summary, askedAt, deadline, otherwise, ...attempt },
  };
}
