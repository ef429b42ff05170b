import type { RegisteredTool } from '../../define/registry.ts';
import {
  tokenOf,
  toolStep,
  type ShadowEffect,
  type ToolStepDone,
  type ToolStepInput,
} from '../../contract/step.ts';
import type { ActivityDeps } from '../deps.ts';
import { OutcomeUnknown } from '../step/claim-step.ts';
import { activityFailure } from '../step/failures.ts';
import { runStep } from '../step/run-step.ts';
import type { StepWork } from '../step/work.ts';
import { askPerson } from './ask-person.ts';
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
  try {
    const outcome = await runStep(deps, planOf(tool, input), pretended(tool));
    return { ...doneOf(outcome, input), shadow: await effectOf(deps, tool, input) };
  } catch (error) {
    if (!(error instanceof OutcomeUnknown)) throw error;
    // An attempt died. What it did is no question for a person: nothing.
    const decision = 'did-not-happen';
    await askPerson(deps.ledger, input, { ms: 0, otherwise: decision }, error.attempt);
    const step = toolStep(input.turn, input.index);
    await deps.ledger.decide(input.run.scope, { step, decision, by: 'The shadow run' });
    const message = 'A worker died while it pretended this call; it is pretended again.';
    throw activityFailure({ code: 'step.busy', message, retryable: true }, undefined, 1);
  }
}

function pretended(tool: RegisteredTool): StepWork {
  const { shadow } = tool.definition;
  return async ({ request }) => {
    const args = await argumentsOf(tool, request);
    const note = `This is a rehearsal: ${tool.name} was not called. Go on as if it had worked.`;
    const result = shadow ? toJson(await shadow(args)) : { shadow: true, note };
    return { result, knownBy: 'shadow' };
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
