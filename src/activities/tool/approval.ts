import type { RegisteredTool } from '../../define/registry.ts';
import type { Deadline } from '../../contract/decision.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { approvalOf } from '../../define/question-terms.ts';
import { toolStep, type ToolStepInput, type ToolStepWaiting } from '../../contract/step.ts';
import type { AskedQuestion } from '../../ledger/port.ts';
import type { ActivityDeps } from '../deps.ts';
import { activityFailure } from '../step/failures.ts';
import { LOST_FOR_GOOD, refusalOf, whyNotAsked } from '../step/restored.ts';
import type { StepWork } from '../step/work.ts';
import { askPerson } from './ask-person.ts';
import { asEdited } from './edited-call.ts';

/** A call as it is to run; `work` is what is done in its place. */
interface ApprovedCall {
  call: ToolStepInput;
  work?: StepWork;
}

/**
 * A call that needs somebody's approval: as it was approved; where it was denied, with what the model
 * is told; or the question that waits for an answer.
 */
export async function approve(
  { ledger }: ActivityDeps,
  tool: RegisteredTool,
  input: ToolStepInput,
  terms: Deadline & { validMs: number },
): Promise<ApprovedCall | ToolStepWaiting> {
  const refusal = await whyNotAsked(ledger, input.ledger);
  if (refusal) throw activityFailure(refusalOf(refusal, input.ledger));
  const read = () => ledger.step(input.run.scope, toolStep(input.turn, input.index));
  const step = await read();
  // Nobody is asked about a call that the ledger has lost: its claim will say so.
  if (!step) return { call: input, work: unrecorded };
  const call = await asEdited(tool, input, step);
  // It is done, or only its outcome is in question.
  if (step.state === 'completed' || step.state === 'unknown') return { call };
  // An attempt may have acted, here or in a ledger that was lost: other arguments would go under its token.
  const isNew = step.attempts === 0 && input.fence === undefined && !input.recorded;
  const editable = isNew && approvalOf(tool.definition).editable;
  const { question, shown } = await askPerson(ledger, call, { ...terms, editable });
  switch (question.decision) {
    case null:
      return { waiting: shown };
    case 'fail':
      throw notApproved(question);
    case 'deny':
      return { call, work: denied(question, tool) };
    default:
      break;
  }
  // Changed with the answer, which came after the step was read.
  const { approvedDigest } = question;
  const changed = approvedDigest !== null && approvedDigest !== call.digest;
  return { call: changed ? await asEdited(tool, input, (await read()) ?? step) : call };
}

/** Does nothing: for a step without a record, should its claim be granted after all. */
const unrecorded: StepWork = () =>
  Promise.reject(new AgentOnceError('ledger.restored', LOST_FOR_GOOD.message));

/**
 * The model is told, and goes on from there. Where an approval has expired between two attempts,
 * the first of them may have had its effect.
 */
function denied({ by, comment }: AskedQuestion, { effect }: RegisteredTool): StepWork {
  const why = comment === null || comment === '' ? '' : ` They said: ${comment}`;
  return async ({ attempts }) => {
    const tried = attempts > 1 && (effect === 'keyed' || effect === 'reconcile');
    const error = tried
      ? `${by} did not approve that this call is tried again. An earlier attempt may have been made. Do not ask for it again.${why}`
      : `${by} did not approve this call, so it was not made. Do not ask for it again.${why}`;
    return { result: { error }, knownBy: 'person' };
  };
}

function notApproved({ by, comment }: AskedQuestion): AgentOnceError {
  const why = comment === null ? '' : ` (${comment})`;
  return new AgentOnceError(
    'step.not_approved',
    `The call was not approved: decided by ${by}${why}. It was not made. To ask again, resume the run (agent-once resume).`,
  );
}
