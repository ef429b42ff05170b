import type { RegisteredTool } from '../agents/registry.ts';
import type { JsonValue } from '../contract/json-value.ts';
import {
  tokenOf,
  toolStep,
  type ShadowEffect,
  type ToolStepDone,
  type ToolStepInput,
} from '../contract/step.ts';
import type { ActivityDeps } from './deps.ts';
import { failStep, judge } from './failures.ts';
import { runStep } from './run-step.ts';
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
  const plan = planOf(tool, input);
  const outcome = await runStep(
    deps,
    // Whatever the tool does, a pretence may be repeated.
    { ...plan, claim: { ...plan.claim, effect: 'read' } },
    {
      kind: 'plain',
      run: async ({ request }) => ({
        result: await pretended(tool, request),
        knownBy: 'shadow',
      }),
    },
  );
  return { ...doneOf(outcome, input), shadow: await effectOf(deps, tool, input) };
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
  let request: JsonValue | undefined;
  try {
    request = (await ledger.step(run.scope, step))?.request ?? undefined;
  } catch (error) {
    throw failStep(judge(error, 'step.failed'));
  }
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
