import type { RegisteredTool } from '../../agents/registry.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import {
  tokenOf,
  toolStep,
  type ShadowEffect,
  type ToolStepDone,
  type ToolStepInput,
} from '../../contract/step.ts';
import { askOutcome } from './ask-person.ts';
import type { ActivityDeps } from '../deps.ts';
import { failStep, judge } from '../step/failures.ts';
import { OutcomeUnknown } from '../step/claim-step.ts';
import { runStep, type StepOutcome } from '../step/run-step.ts';
import { toJson } from './to-json.ts';
import { argumentsOf, doneOf, planOf, previewOf } from './tool-step.ts';

/** Whether a shadow run only pretends this call: it has an effect, or needs somebody's approval. */
export function isPretended(tool: RegisteredTool, { questions }: ToolStepInput): boolean {
  return tool.effect !== 'read' || questions?.approval !== undefined;
}

/** A tool call of a shadow run: recorded as completed, and not executed. Nobody is asked. */
export async function pretendTool(
  deps: ActivityDeps,
  tool: RegisteredTool,
  input: ToolStepInput,
): Promise<ToolStepDone> {
  const outcome = await pretend(deps, tool, input);
  try {
    return { ...doneOf(outcome, input), shadow: await effectOf(deps, tool, input) };
  } catch (error) {
    throw failStep(judge(error, 'step.failed'));
  }
}

async function pretend(
  deps: ActivityDeps,
  tool: RegisteredTool,
  input: ToolStepInput,
): Promise<StepOutcome> {
  try {
    return await runStep(deps, planOf(tool, input), {
      kind: 'plain',
      run: async ({ request }) => ({ result: await pretended(tool, request), knownBy: 'shadow' }),
    });
  } catch (error) {
    if (!(error instanceof OutcomeUnknown)) throw error;
    // An attempt died. What it did is no question for a person: nothing.
    await askOutcome(deps.ledger, input, { ms: 0, otherwise: 'did-not-happen' }, error.attempt);
    await deps.ledger
      .decide(input.run.scope, {
        step: toolStep(input.turn, input.index),
        decision: 'did-not-happen',
        by: 'The shadow run',
      })
      .catch((problem: unknown) => {
        throw failStep(judge(problem, 'step.failed'));
      });
    const message = 'A worker died while it pretended this call; it is pretended again.';
    throw failStep({ code: 'step.busy', message, retryable: true }, 1);
  }
}

async function pretended(tool: RegisteredTool, request: JsonValue | null): Promise<JsonValue> {
  const { shadow } = tool.definition;
  const args = await argumentsOf(tool, request);
  if (shadow) return toJson(await shadow(args));
  return {
    shadow: true,
    note: `This is a rehearsal: ${tool.name} was not called. Go on as if it had worked.`,
  };
}

/** What would have happened, with the arguments that are in the ledger. */
async function effectOf(
  { ledger }: ActivityDeps,
  { name, effect }: RegisteredTool,
  { run, turn, index, summary, questions, historyResults }: ToolStepInput,
): Promise<ShadowEffect> {
  const step = toolStep(turn, index);
  const request = (await ledger.step(run.scope, step))?.request ?? undefined;
  const show = historyResults === 'full' ? 'preview' : historyResults;
  const shown = request === undefined ? undefined : previewOf(JSON.stringify(request), show);
  return {
    step,
    tool: name,
    effect,
    summary,
    ...(shown === undefined ? {} : { arguments: shown }),
    token: tokenOf(run.scope, step),
    approval: questions?.approval !== undefined,
  };
}
