import { context, SpanKind, type Attributes } from '@opentelemetry/api';
import { DEV_PORTS, readConfig, usesScriptedModel } from '../../config.ts';
import type { ModelEndpoints } from '../../contract/model-endpoint.ts';
import { ModelError, type Model, type ModelUsage } from '../../model/port.ts';
import { endpointAttributes, GEN_AI, OPERATION } from './gen-ai.ts';
import { inSpan, traceHeaders } from './in-span.ts';
import { attributesOfStep } from './step-spans.ts';

/** The same model, each of whose calls has a span, and sends the trace along. */
export function withModelSpans(model: Model, endpoints: ModelEndpoints = {}): Model {
  const config = readConfig();
  const preset = usesScriptedModel(config)
    ? endpointAttributes(`http://127.0.0.1:${DEV_PORTS.model}`)
    : endpointAttributes(config.openaiBaseUrl, config.openaiDialect);
  const named = new Map(
    Object.entries(endpoints).map(([name, { baseUrl, dialect }]) => [
      name,
      endpointAttributes(baseUrl, dialect),
    ]),
  );
  return {
    ...model,
    complete(request, asked) {
      const { endpoint = '' } = request;
      const name = endpoints[endpoint]?.model ?? request.model;
      const active = context.active();
      const attributes = {
        ...attributesOfStep(active),
        ...(named.get(endpoint) ?? preset),
        [GEN_AI.operation]: OPERATION.model,
        [GEN_AI.requestModel]: name,
      };
      const how = { kind: SpanKind.CLIENT, attributes };
      return inSpan(`${OPERATION.model} ${name}`, how, active, async (span, own) => {
        try {
          const headers = { ...asked.headers, ...traceHeaders(own) };
          const reply = await model.complete(request, { ...asked, headers });
          span.setAttributes(answerAttributes(reply.model, reply.usage));
          span.setAttribute(GEN_AI.finishReasons, [reply.finish]);
          return reply;
        } catch (error) {
          // A whole answer that is unusable is paid for.
          const { answered } = error instanceof ModelError ? error : {};
          if (answered) span.setAttributes(answerAttributes(answered.model, answered.usage));
          throw error;
        }
      });
    },
  };
}

function answerAttributes(model: string, usage: ModelUsage | null): Attributes {
  const { cachedInputTokens, cacheWriteTokens, reasoningTokens } = usage ?? {};
  return {
    [GEN_AI.responseModel]: model,
    ...(usage && {
      [GEN_AI.inputTokens]: usage.inputTokens,
      [GEN_AI.outputTokens]: usage.outputTokens,
    }),
    ...(cachedInputTokens === undefined ? {} : { [GEN_AI.cacheReadTokens]: cachedInputTokens }),
    ...(cacheWriteTokens === undefined ? {} : { [GEN_AI.cacheWriteTokens]: cacheWriteTokens }),
    ...(reasoningTokens === undefined ? {} : { [GEN_AI.reasoningTokens]: reasoningTokens }),
  };
}
