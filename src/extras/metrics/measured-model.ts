import { ModelError, type Model, type ModelUsage } from '../../model/port.ts';
import type { WorkerParts } from '../../worker/worker-parts.ts';
import type { Instruments } from './instruments.ts';
import { agentOf, quietly } from './measured-ledger.ts';

/** The same model, whose requests are timed, and whose answers are counted with what they cost. */
export function measureModel(
  { model, costUsd }: Pick<WorkerParts, 'model' | 'costUsd'>,
  instruments: Instruments,
): Model {
  const { modelSeconds, answers, tokens, costUsd: cost, modelLabel } = instruments;
  return {
    ...model,
    async complete(request, context) {
      const labels = { agent: agentOf(context.workflowId), model: modelLabel(request.model) };
      const answered = (by: string, usage: ModelUsage | null): void => {
        const usd = usage && costUsd(by, usage, request.endpoint);
        answers.add({ ...labels, cost: usd === null ? 'unknown' : 'known' });
        if (usd !== null) cost.add(labels, usd);
        for (const [kind, count] of Object.entries(usage ? kindsOf(usage) : {})) {
          tokens.add({ ...labels, kind }, Math.max(0, count));
        }
      };
      const end = modelSeconds.startTimer(labels);
      try {
        const reply = await model.complete(request, context);
        end({ outcome: 'answered' });
        quietly(() => answered(reply.model, reply.usage));
        return reply;
      } catch (error) {
        const code = error instanceof ModelError ? error.code : 'stopped';
        end({ outcome: code });
        const unusable = error instanceof ModelError ? error.answered : undefined;
        if (unusable) quietly(() => answered(unusable.model, unusable.usage));
        throw error;
      }
    },
  };
}

/** Tokens that add up: what is a part of another is taken out of it. */
function kindsOf(usage: ModelUsage): Record<string, number> {
  const { inputTokens, outputTokens } = usage;
  const { cachedInputTokens = 0, cacheWriteTokens = 0, reasoningTokens = 0 } = usage;
  return {
    input: inputTokens - cachedInputTokens - cacheWriteTokens,
    cached_input: cachedInputTokens,
    cache_write: cacheWriteTokens,
    output: outputTokens - reasoningTokens,
    reasoning: reasoningTokens,
  };
}
