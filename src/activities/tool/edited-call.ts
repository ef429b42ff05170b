import { AgentOnceError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import type { ToolStepInput } from '../../contract/step.ts';
import { approvalOf } from '../../define/question-terms.ts';
import type { RegisteredTool } from '../../define/registry.ts';
import type { EditedCall, StepRecord } from '../../ledger/port.ts';
import type { ActivityDeps } from '../deps.ts';
import { activityFailure } from '../step/failures.ts';
import { callDigest, checkArguments } from './check-arguments.ts';

type Arguments = Pick<StepRecord, 'digest' | 'request' | 'askedDigest' | 'askedRequest'>;

/** The call as it is to run: with the arguments that a person gave it, where one did. */
export async function asEdited(
  tool: RegisteredTool,
  input: ToolStepInput,
  step: Arguments,
): Promise<ToolStepInput> {
  // What was planned as another call stays as it is: its claim says that it diverged.
  if (step.askedDigest !== input.digest) return input;
  const { digest } = step;
  return { ...input, digest, summary: (await editedSummary(tool, step)) ?? input.summary };
}

/** A changed call on one line, as it is and as it was asked for; `undefined`: nobody changed it. */
export async function editedSummary(
  tool: RegisteredTool,
  { request, askedRequest }: Pick<StepRecord, 'request' | 'askedRequest'>,
): Promise<string | undefined> {
  if (askedRequest === null) return undefined;
  const [now, before] = [
    await checkArguments(tool, request),
    await checkArguments(tool, askedRequest),
  ].map((checked) => ('summary' in checked ? checked.summary : tool.name));
  return `${now} (changed by a person; the model asked for: ${before})`;
}

/** @throws {ApplicationFailure} retryable: another worker may know the tool */
export function toolOf({ agents }: ActivityDeps, name: string): RegisteredTool {
  const tool = agents.tools().find((each) => each.name === name);
  if (tool) return tool;
  const message = `This worker does not know the tool "${name}", whose arguments a person changes. Deploy a worker that has it; until then the decision is tried again.`;
  throw activityFailure({ code: 'tool.unknown', message, retryable: true }, undefined, 5_000);
}

/**
 * A call with the arguments that a person gives it, checked as the model's were.
 *
 * @throws {AgentOnceError} `decision.invalid`
 */
export async function editedCall(tool: RegisteredTool, request: JsonValue): Promise<EditedCall> {
  if (!approvalOf(tool.definition).editable) {
    throw refused(
      `The arguments of ${tool.name} cannot be changed: its approval is not editable. Nothing was decided. Approve the call as it is, or deny it.`,
    );
  }
  const checked = await checkArguments(tool, request);
  if ('refusal' in checked) throw refused(`${checked.refusal} Nothing was decided.`);
  return { digest: callDigest(tool.name, request), request };
}

function refused(message: string): AgentOnceError {
  return new AgentOnceError('decision.invalid', message);
}
