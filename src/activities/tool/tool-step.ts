import type { RegisteredTool } from '../../define/registry.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { utf8Bytes } from '../../contract/json.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import { LIMITS } from '../../contract/limits.ts';
import { IMPLIED_TOOL_POLICY, wholePolicy } from '../../contract/settings.ts';
import { toolStep, type ToolStepDone, type ToolStepInput } from '../../contract/step.ts';
import { cutToBytes } from '../../contract/text-bytes.ts';
import type { StepOutcome } from '../step/record.ts';
import type { StepPlan } from '../step/work.ts';

/** The step of a tool call under its claim. */
export function planOf(tool: RegisteredTool, input: ToolStepInput): StepPlan {
  const { run, turn, index, digest, policy, ledger, recorded, fence } = input;
  return {
    claim: {
      scope: run.scope,
      step: toolStep(turn, index),
      turn,
      kind: 'tool',
      name: tool.name,
      effect: tool.effect,
      digest,
      // Planned with the model's answer.
      seen: {
        row: true,
        ...(ledger === undefined ? {} : { ledger }),
        ...(recorded ? { done: recorded } : {}),
        ...(fence === undefined ? {} : { fence }),
      },
    },
    policy: wholePolicy(IMPLIED_TOOL_POLICY, policy),
    faultName: tool.name,
    defaultCode: 'tool.failed',
  };
}

/** Parses the recorded arguments again: the schema's defaults and transformations apply. */
export async function argumentsOf(
  tool: RegisteredTool,
  request: JsonValue | null,
): Promise<unknown> {
  if (request === null) {
    throw new AgentOnceError(
      'step.diverged',
      `The ledger does not have the arguments of this call, which are recorded with the model's answer.`,
    );
  }
  const parsed = await tool.definition.input.safeParseAsync(request);
  if (parsed.success) return parsed.data;
  throw new AgentOnceError(
    'step.diverged',
    `The recorded arguments no longer fit the schema of ${tool.name}: it was changed while the run was under way. Deploy a schema that accepts both.`,
  );
}

/** What history shows of a call that ended. */
export function doneOf(outcome: StepOutcome, { historyResults }: ToolStepInput): ToolStepDone {
  const text = JSON.stringify(outcome.result);
  const preview = previewOf(text, historyResults);
  return {
    ...(preview === undefined ? {} : { preview }),
    bytes: outcome.resultBytes ?? utf8Bytes(text),
    knownBy: outcome.knownBy,
    attempts: outcome.attempts,
    ...(outcome.sharedWith === null ? {} : { sharedWith: outcome.sharedWith }),
  };
}

const FULL_BYTES = 64 * 1024;

/** JSON text, cut to what history shows. */
export function previewOf(text: string, show: ToolStepInput['historyResults']): string | undefined {
  if (show === 'none') return undefined;
  const max = show === 'full' ? FULL_BYTES : LIMITS.previewBytes;
  return cutToBytes(text, max, ' …');
}
