import { approvalOf } from '../../define/question-terms.ts';
import type { RegisteredAgent, RegisteredTool } from '../../define/registry.ts';
import { parseJson } from '../../contract/json.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import { LIMITS } from '../../contract/limits.ts';
import { IMPLIED_TOOL_POLICY, leftOut } from '../../contract/settings.ts';
import { toolStep, type PlannedCall } from '../../contract/step.ts';
import type { PlannedStep, EarlierStep } from '../../ledger/port.ts';
import type { ModelCall } from '../../model/port.ts';
import { callDigest, checkArguments, orElse } from '../tool/check-arguments.ts';
import { callId, type RecordedCall } from './turn-record.ts';

export interface CallPlan {
  recorded: RecordedCall[];
  planned: PlannedCall[];
  /** The rows that are written with the model's answer. */
  steps: PlannedStep[];
}

const TOO_MANY = `More than ${LIMITS.callsPerTurn} calls in one turn: ask for this one again in the next.`;

/**
 * Decides what becomes of each call that the model asked for: it runs, it is the same as an
 * earlier one, or it goes back to the model as an error that it can correct.
 *
 * @param earlier the scope's steps of the turns before this one
 */
export async function planCalls(
  agent: RegisteredAgent,
  turn: number,
  calls: readonly ModelCall[],
  earlier: readonly EarlierStep[],
): Promise<CallPlan> {
  const plan: CallPlan = { recorded: [], planned: [], steps: [] };
  const seen = new Map<string, number>();
  const ofRun = new Map(earlier.toReversed().map((held) => [held.digest, held.step]));

  for (const [index, call] of calls.entries()) {
    const step = toolStep(turn, index);
    const recorded: RecordedCall = {
      index,
      id: callId(turn, index),
      tool: call.name,
      arguments: call.arguments,
      ...(call.opaque ? { opaque: call.opaque } : {}),
    };
    plan.recorded.push(recorded);

    const checked =
      index < LIMITS.callsPerTurn ? await checkCall(agent, call) : { refusal: TOO_MANY };
    if ('refusal' in checked) {
      recorded.refusal = checked.refusal;
      continue;
    }
    const { tool, request, summary, approval } = checked;
    const digest = callDigest(tool.name, request);
    const { dedup } = tool.definition;
    const first = (dedup === 'run' ? ofRun.get(digest) : undefined) ?? seen.get(digest);
    if (first !== undefined && dedup !== 'never') {
      recorded.sameAs = first;
      continue;
    }
    seen.set(digest, index);
    const { name, effect, policy } = tool;
    const { outcome } = tool.questions;
    const questions = {
      ...(approval ? { approval: tool.questions.approval } : {}),
      ...(outcome ? { outcome } : {}),
    };
    plan.planned.push({
      index,
      tool: name,
      summary,
      effect,
      policy: leftOut(IMPLIED_TOOL_POLICY, policy),
      ...(tool.definition.lane === 'fast' ? { lane: 'fast' } : {}),
      digest,
      ...(approval || outcome ? { questions } : {}),
    });
    plan.steps.push({ step, turn, tool: name, effect, digest, request });
  }
  return plan;
}

type CheckedCall =
  | { tool: RegisteredTool; request: JsonValue; summary: string; approval: boolean }
  | { refusal: string };

async function checkCall(agent: RegisteredAgent, call: ModelCall): Promise<CheckedCall> {
  const tool = agent.tools.get(call.name);
  if (!tool) {
    const names = [...agent.tools.keys()].join(', ') || 'none';
    return { refusal: `There is no tool of this name. The tools are: ${names}.` };
  }
  let request: JsonValue;
  try {
    // Models send nothing at all for a tool without arguments.
    request = call.arguments.trim() === '' ? {} : parseJson(call.arguments);
  } catch (error) {
    return {
      refusal: `The arguments are unusable. ${error instanceof Error ? error.message : ''}`,
    };
  }
  const checked = await checkArguments(tool, request);
  if ('refusal' in checked) return checked;
  const { parsed, summary } = checked;
  const { when } = approvalOf(tool.definition);
  return {
    tool,
    request,
    summary,
    // One that cannot tell asks: a person is a smaller harm than an effect that nobody wanted.
    approval: typeof when === 'function' ? orElse(() => when(parsed), true) : when === 'always',
  };
}
