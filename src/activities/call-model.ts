import type { RegisteredAgent } from '../agents/registry.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { canonicalJson, utf8Bytes } from '../contract/json.ts';
import type { JsonValue } from '../contract/json-value.ts';
import { sha256Hex } from '../contract/hash.ts';
import { LIMITS } from '../contract/limits.ts';
import { modelStep, tokenOf, type ModelStepInput, type ModelStepResult } from '../contract/step.ts';
import type { AgentSettings } from '../contract/settings.ts';
import type { Completion, StepRecord } from '../ledger/port.ts';
import { ModelError, type ModelReply } from '../model/port.ts';
import { conversationOf } from './conversation.ts';
import type { ActivityDeps } from './deps.ts';
import { failStep, judge } from './failures.ts';
import { planCalls } from './plan-calls.ts';
import { runStep, type Granted } from './run-step.ts';
import { asTurnRecord, type TurnRecord } from './turn-record.ts';
import { workflowIdHere } from './workflow-id-here.ts';

/** The `callModel` activity: one turn's model call, and the plan of the tool calls it asks for. */
export async function callModel(
  deps: ActivityDeps,
  input: ModelStepInput,
): Promise<ModelStepResult> {
  const { run, turn, messages, previous } = input;
  const agent = deps.agents.agent(run.agent);
  if (!agent) throw unknownAgent(run.agent);
  const settings = input.settings ?? agent.settings;
  const digest = sha256Hex(canonicalJson({ step: modelStep(turn), previous, messages }));

  if (input.retires !== undefined) await retire(deps, input.retires);
  // Read while the claim is on its way: nothing changes the turns before this one any more. But not
  // for a step that is likely to be recorded: a long run that is resumed would read all of it at
  // each turn.
  const readAhead = input.resuming ? undefined : earlierSteps(deps, input);
  // Its failure is the step's, once there is a claim; without one nobody asks.
  readAhead?.catch(() => {});
  const outcome = await runStep(
    deps,
    {
      claim: {
        scope: run.scope,
        step: modelStep(turn),
        turn,
        kind: 'model',
        name: input.model ?? settings.model,
        effect: null,
        digest,
        request: messages as unknown as JsonValue,
      },
      policy: settings.modelPolicy,
      faultName: 'model',
      otherwise: 'model.bad_answer',
    },
    { kind: 'plain', run: (granted) => askModel(deps, input, agent, settings, readAhead, granted) },
  );

  const { content, calls, planned } = asTurnRecord(outcome.result);
  return {
    digest,
    ...(calls.length === 0 ? { output: content ?? '' } : {}),
    calls: planned,
    refused: calls.filter((call) => call.refusal !== undefined).length,
    usage: outcome.usage ?? { inputTokens: 0, outputTokens: 0, costUsd: null },
    knownBy: outcome.knownBy,
    possiblyPaid: outcome.unknownAttempts,
    ...(input.settings ? {} : { settings }),
  };
}

/** Before anything else happens in a run that follows another: from here on, only one has the key. */
async function retire({ ledger }: ActivityDeps, scope: string): Promise<void> {
  try {
    await ledger.retire(scope);
  } catch (error) {
    throw failStep(judge(error, 'step.failed'));
  }
}

async function askModel(
  deps: ActivityDeps,
  input: ModelStepInput,
  agent: RegisteredAgent,
  settings: AgentSettings,
  readAhead: Promise<StepRecord[]> | undefined,
  granted: Granted,
): Promise<Completion> {
  const { run, turn, messages } = input;
  const { maxOutputTokens, temperature } = agent.definition;
  const earlier = await (readAhead ?? earlierSteps(deps, input));
  const model = input.model ?? settings.model;
  const reply = await deps.model.complete(
    {
      model,
      messages: conversationOf(agent, earlier, turn, messages),
      tools: [...agent.tools.values()].map(({ name, definition, parameters }) => ({
        name,
        description: definition.description,
        parameters,
      })),
      ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
      ...(temperature === undefined ? {} : { temperature }),
    },
    {
      token: deps.withoutTokens ? crypto.randomUUID() : tokenOf(run.scope, modelStep(turn)),
      workflowId: workflowIdHere(),
      signal: granted.signal,
      timeoutMs: requestLimit(settings.modelPolicy.startToCloseMs),
    },
  );
  assertUsable(reply);
  const plan = await planCalls(agent, turn, reply.calls);
  const record: TurnRecord = {
    model: reply.model,
    content: reply.content,
    calls: plan.recorded,
    planned: plan.planned,
    finish: reply.finish,
  };
  return {
    result: record as unknown as JsonValue,
    // An endpoint that reports no usage: the cost is unknown, not zero.
    ...(reply.usage === null
      ? {}
      : { usage: { ...reply.usage, costUsd: deps.costUsd(model, reply.usage) } }),
    planned: plan.steps,
  };
}

/** The steps that the conversation before a turn is made of. */
async function earlierSteps(
  { ledger }: ActivityDeps,
  { run, turn }: ModelStepInput,
): Promise<StepRecord[]> {
  return turn === 1 ? [] : ledger.steps(run.scope, turn);
}

/** A little less than the attempt's time: the request's own timeout tells more than Temporal's. */
function requestLimit(startToCloseMs: number): number {
  return Math.ceil(Math.max(startToCloseMs / 2, startToCloseMs - 1_000));
}

/** Half an answer is no answer: a call cut in its arguments, a text without its end. */
function assertUsable(reply: ModelReply): void {
  if (reply.finish === 'length') {
    throw new ModelError(
      'model.truncated',
      "The model stopped at its output limit, in the middle of its answer; the tokens were paid. Raise the agent's maxOutputTokens or ask for less.",
      { retryable: false },
    );
  }
  if (reply.finish === 'content_filter') {
    throw new ModelError('model.refused', 'A content filter of the endpoint stopped the answer.', {
      retryable: false,
    });
  }
  if (reply.calls.length === 0 && utf8Bytes(JSON.stringify(reply.content)) > LIMITS.outputBytes) {
    throw new AgentOnceError('output.too_large', 'The final answer is over 1 MiB of JSON.');
  }
}

function unknownAgent(name: string) {
  return failStep({
    code: 'agent.unknown',
    message: `The worker does not know an agent "${name}". Register it in src/agents/index.ts and deploy the worker, or correct the name.`,
    retryable: false,
  });
}
