import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { DecisionInput, OpenQuestion } from '../contract/decision.ts';
import { AgentOnceError } from '../contract/errors.ts';
import type { ClientContext, RunIdentity } from './context.ts';
import { readState } from './live-state.ts';
import { isShortened, questionsOf } from './view.ts';

/** A worker may have to replay the run first. */
const TRIES = 3;

/**
 * The open questions among which an answer finds the one that it is to. Nothing is asked for an
 * answer that names it.
 *
 * @throws {AgentOnceError} `run.still_running`: the run has more questions than its memo holds, and
 *   no worker answers; nothing was decided
 */
export async function questionsAbout(
  context: ClientContext,
  { agent, workflowId }: RunIdentity,
  execution: WorkflowExecutionDescription,
  { step, round }: DecisionInput,
): Promise<OpenQuestion[]> {
  const shown = questionsOf(execution);
  const known = round !== undefined || shown.some((question) => question.step === step);
  if (known || !isShortened(execution)) return shown;
  for (let tried = 0; tried < TRIES; tried++) {
    const state = await readState(context, workflowId);
    if (state) return state.waiting;
  }
  throw new AgentOnceError(
    'run.still_running',
    `The run of agent "${agent}" has more questions than can be read without a worker, and none answered. Nothing was decided. Start a worker and repeat it.`,
  );
}
