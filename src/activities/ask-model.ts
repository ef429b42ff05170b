import type { RegisteredAgent } from '../agents/registry.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { utf8Bytes } from '../contract/json.ts';
import type { JsonValue } from '../contract/json-value.ts';
import { LIMITS } from '../contract/limits.ts';
import type { AgentSettings } from '../contract/settings.ts';
import { modelStep, tokenOf, type ModelStepInput } from '../contract/step.ts';
import type { Completion, EarlierStep } from '../ledger/port.ts';
import { ModelError, type ModelReply, type ModelRequest } from '../model/port.ts';
import { conversationOf } from './conversation.ts';
import type { ActivityDeps } from './deps.ts';
import { planCalls } from './plan-calls.ts';
import type { StepWork } from './run-step.ts';
import { modelShare, sharesModel } from './share-terms.ts';
import { shareWork } from './share-work.ts';
import { asTurnRecord, replyOf, type TurnRecord } from './turn-record.ts';
import { workflowIdHere } from './workflow-id-here.ts';

/**
 * The work of a model step: the model's answer, or the one to the same call of another run.
 *
 * @param earlier reads the scope's steps of the turns before this one, once
 */
export function askModel(
  deps: ActivityDeps,
  input: ModelStepInput,
  agent: RegisteredAgent,
  settings: AgentSettings,
  earlier: () => Promise<EarlierStep[]>,
): StepWork {
  const { run, turn, messages } = input;
  const { modelPolicy } = settings;
  const { maxOutputTokens, temperature } = agent.definition;
  const model = input.model ?? settings.model;
  const own = tokenOf(run.scope, modelStep(turn));
  // Of a call that this one took over from another run: it goes on as what that one began.
  let began: string | undefined;
  const request = async (): Promise<ModelRequest> => ({
    model,
    messages: conversationOf(agent, await earlier(), turn, messages),
    tools: [...agent.tools.values()].map(({ name, definition, parameters }) => ({
      name,
      description: definition.description,
      parameters,
    })),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...(temperature === undefined ? {} : { temperature }),
  });
  /** The calls are planned for this run, whoever asked the model: its steps are its own. */
  const complete = async (reply: Omit<ModelReply, 'usage'>): Promise<Completion> => {
    const plan = await planCalls(agent, turn, reply.calls, await earlier());
    const record: TurnRecord = {
      model: reply.model,
      content: reply.content,
      calls: plan.recorded,
      planned: plan.planned,
      finish: reply.finish,
    };
    return { result: record as unknown as JsonValue, planned: plan.steps };
  };

  return {
    kind: 'plain',
    async before(granted) {
      if (!sharesModel(agent)) return undefined;
      const share = modelShare(agent, run, await request(), modelPolicy);
      const shared = await shareWork(deps.ledger, granted, share);
      if (shared.theirs === undefined) {
        if (shared.tookOver) began = shared.token;
        return undefined;
      }
      const { result, sharedWith } = shared.theirs;
      const completion = await complete(replyOf(asTurnRecord(result)));
      return { ...completion, usage: PAID_ELSEWHERE, sharedWith };
    },
    async run(granted) {
      const reply = await deps.model.complete(await request(), {
        token: deps.withoutTokens ? crypto.randomUUID() : (began ?? own),
        workflowId: workflowIdHere(),
        signal: granted.signal,
        timeoutMs: requestLimit(modelPolicy.startToCloseMs),
      });
      assertUsable(reply);
      return {
        ...(await complete(reply)),
        // An endpoint that reports no usage: the cost is unknown, not zero.
        ...(reply.usage === null
          ? {}
          : { usage: { ...reply.usage, costUsd: deps.costUsd(model, reply.usage) } }),
        ...(began === undefined ? {} : { sharedWith: began }),
      };
    },
  };
}

const PAID_ELSEWHERE = { inputTokens: 0, outputTokens: 0, costUsd: 0 };

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
