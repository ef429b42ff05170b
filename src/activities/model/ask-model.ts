import { Context } from '@temporalio/activity';
import type { RegisteredAgent } from '../../define/registry.ts';
import { defined } from '../../contract/defined.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { sha256Hex } from '../../contract/hash.ts';
import { utf8Bytes } from '../../contract/json.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import { LIMITS } from '../../contract/limits.ts';
import type { AgentSettings } from '../../contract/settings.ts';
import type { ModelStepInput, StepUsage } from '../../contract/step.ts';
import type { Completion, EarlierStep } from '../../ledger/port.ts';
import {
  ModelError,
  stillPending,
  type Answered,
  type ModelReply,
  type ModelRequest,
  type ModelUsage,
} from '../../model/port.ts';
import { conversationOf } from './conversation.ts';
import type { ActivityDeps } from '../deps.ts';
import { afterFailure, modelsOf, modelToAsk } from './endpoints.ts';
import { finalOutput } from './final-output.ts';
import { keepPending, noteLeft } from './keep-pending.ts';
import { planCalls } from './plan-calls.ts';
import { share, shareName, type ShareTerms } from '../step/share.ts';
import { asTurnRecord, replyOf, type TurnRecord } from './turn-record.ts';
import { AskingFailed } from '../step/failures.ts';
import { tokenFor, type StepWork } from '../step/work.ts';

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
  const { toolChoice, ...options } = {
    ...(settings.modelOptions ?? agent.settings.modelOptions),
    ...input.modelOptions,
  };
  const models = modelsOf(input, settings);
  const endpoints = settings.endpoints ?? deps.model.endpoints ?? [];
  const request = async (model = models[0]): Promise<ModelRequest> => ({
    ...(endpoints.includes(model) ? { endpoint: model } : {}),
    model,
    messages: conversationOf(agent, await earlier(), turn, messages),
    tools: [...agent.tools.values()].map(({ name, definition, parameters }) => ({
      name,
      description: definition.description,
      parameters,
    })),
    ...(agent.output ? { output: { name: run.agent, schema: agent.output } } : {}),
    ...options,
    ...(input.modelOptions ? { over: input.modelOptions } : {}),
    // A model that must ask for a tool each time never ends.
    ...(toolChoice === undefined || turn > 1 ? {} : { toolChoice }),
  });
  /** The calls are planned for this run, whoever asked the model: its steps are its own. */
  const complete = async (
    reply: Omit<ModelReply, 'usage'>,
    answeredBy: string | undefined,
    used?: ModelUsage | null,
  ): Promise<Completion> => {
    const { cachedInputTokens, reasoningTokens } = used ?? {};
    const held = await earlier();
    const plan = await planCalls(agent, turn, reply.calls, held);
    const record: TurnRecord = {
      model: reply.model,
      content: reply.content,
      calls: plan.recorded,
      planned: plan.planned,
      finish: reply.finish,
      ...(await finalOutput(agent, reply, held)),
      ...defined({
        opaque: reply.opaque,
        answeredBy,
        tokens: used ? defined({ cachedInputTokens, reasoningTokens }) : undefined,
      }),
    };
    return { result: record as unknown as JsonValue, planned: plan.steps };
  };

  const ask: StepWork = async (granted) => {
    const { round, began, attempt, signal } = granted;
    // A resumed run asks as often as a new one; who took a call over goes on with its budget.
    const before = began === undefined ? Math.min(round, attempt - 1) : round;
    const priced = (by: string, usage: ModelUsage | null): StepUsage | undefined => {
      if (usage === null) return undefined;
      const { inputTokens, outputTokens } = usage;
      return { inputTokens, outputTokens, costUsd: deps.costUsd(by, usage, asked.endpoint) };
    };
    const { workflowExecution, isLocal } = Context.current().info;
    const runId = workflowExecution?.runId ?? '';
    const model = modelToAsk(models, input, runId, granted.asking, await earlier());
    const kept = await keepPending(
      deps,
      granted,
      model,
      granted.asking?.runId === runId ? granted.asking : { endpoint: model, runId, overloads: 0 },
    );
    const failed = (error: ModelError, answered?: Answered): AskingFailed => {
      const { code, message, retryable, retryAfterMs, rounds = Number.POSITIVE_INFINITY } = error;
      const mayBePaid = error.mayBePaid ? { mayBePaid: error.mayBePaid } : {};
      // Each answer is paid for, so the policy's attempts are too many.
      const again = retryable && (!answered || before + 1 < rounds);
      const failure = { code, message, retryable: again, retryAfterMs, ...mayBePaid };
      return new AskingFailed({
        ...afterFailure(
          error,
          failure,
          models,
          modelPolicy.retry.maximumAttempts,
          kept.asking,
          answered !== undefined,
        ),
        answered: answered && { round, usage: priced(answered.model, answered.usage) ?? null },
      });
    };
    const asked = await request(model);
    let reply: ModelReply | undefined;
    try {
      reply = await deps.model.complete(asked, {
        token: tokenFor(granted),
        round,
        workflowId: workflowExecution?.workflowId ?? '',
        signal,
        timeoutMs: requestLimit(modelPolicy.startToCloseMs),
        // What is made in the background takes longer than the fast lane allows, unless it was begun before.
        ...(isLocal && !kept.background.pending ? {} : { background: kept.background }),
      });
      const tooLarge = tooLargeIn(reply);
      if (tooLarge) throw tooLarge;
      const completion = await complete(reply, model, reply.usage);
      // An endpoint that reports no usage: the cost is unknown, not zero.
      return {
        ...completion,
        ...defined({ usage: priced(reply.model, reply.usage), sharedWith: began }),
      };
    } catch (error) {
      if (error instanceof ModelError) throw failed(error, error.answered ?? reply);
      // What stopped the attempt has not stopped the response: whoever comes next asks for it.
      const goesOn = !reply && kept.asking.pending && !(error instanceof AgentOnceError);
      if (!goesOn) throw error;
      const end = failed(stillPending());
      // Cancelled there too: nobody can have it any more.
      const asking = defined({ ...kept.asking, pending: undefined });
      throw kept.background.isCancelled() ? new AskingFailed({ ...end, asking }) : end;
    }
  };

  const { coalesce, cacheModelSeconds } = agent.definition;
  if (coalesce !== true && cacheModelSeconds === undefined) return ask;
  const termsOf = async (): Promise<ShareTerms> => ({
    name: shareName('model', run, sha256Hex(JSON.stringify(await request()))),
    windowMs: (cacheModelSeconds ?? 0) * 1_000,
    startToCloseMs: modelPolicy.startToCloseMs,
  });
  return share(deps.ledger, ask, termsOf, async ({ result, sharedWith }, granted) => {
    // Whoever took this call over has seen to it.
    if (sharedWith !== tokenFor(granted)) await noteLeft(deps.ledger, granted);
    const record = asTurnRecord(result);
    const completion = await complete(replyOf(record), record.answeredBy);
    return { ...completion, usage: PAID_ELSEWHERE, sharedWith };
  });
}

const PAID_ELSEWHERE = { inputTokens: 0, outputTokens: 0, costUsd: 0 };

/** A little less than the attempt's time: the request's own timeout tells more than Temporal's. */
function requestLimit(startToCloseMs: number): number {
  return Math.ceil(Math.max(startToCloseMs / 2, startToCloseMs - 1_000));
}

/** What is larger would stick in Temporal or the ledger; a repeat would be as large, and paid. */
function tooLargeIn({ content, calls, opaque }: ModelReply): ModelError | undefined {
  if (calls.length === 0 && utf8Bytes(JSON.stringify(content)) > LIMITS.outputBytes) {
    return new ModelError('output.too_large', 'The final answer is over 1 MiB of JSON.', {
      retryable: false,
    });
  }
  const parts = [opaque, ...calls.map((call) => call.opaque)].filter((part) => part !== undefined);
  if (utf8Bytes(JSON.stringify(parts)) <= LIMITS.opaqueBytes) return undefined;
  return new ModelError(
    'model.answer_too_large',
    'What the model endpoint wants back with the next request is over 4 MiB of JSON, and was not kept. Ask for less thinking (reasoningEffort), or choose another model.',
    { retryable: false },
  );
}
