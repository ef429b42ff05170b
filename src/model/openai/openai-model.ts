import type { JsonValue } from '../../contract/json-value.ts';
import type { ModelEndpoint } from '../../contract/model-endpoint.ts';
import type { Model, ModelCallContext, ModelReply, ModelRequest } from '../port.ts';
import { apiOf } from './api.ts';
import { createSend } from './client.ts';
import { credentialsOf, keyOf, resolveEndpoint } from './endpoint.ts';
import { refusedPart, toModelError } from './errors.ts';
import { readReply } from './read-answer.ts';
import { textTo } from './read-stream.ts';
import type { GiveBack } from './request-parts.ts';
import { createScrub } from './scrub.ts';

/**
 * A model behind any endpoint that speaks OpenAI's chat completions or its Responses: OpenAI, Azure,
 * Gemini, DeepSeek, Kimi, Mistral, OpenRouter, vLLM, Ollama, the scripted model.
 *
 * @param name of an endpoint of the app's own; absent: the one of the environment
 * @throws {AgentOnceError} `config.invalid`
 */
export function createOpenAiModel(options: ModelEndpoint = {}, name?: string): Model {
  const endpoint = resolveEndpoint(options, name);
  const api = apiOf(endpoint);
  const send = createSend(endpoint);
  const { origin, names, stream } = endpoint;
  const renews = typeof endpoint.apiKey === 'function';
  /** Models that have no thoughts to encrypt. */
  const unencrypted = new Set<string>();

  /** Asks, and once more where the endpoint refuses what it had given, or was asked to give. */
  async function answerTo(
    request: ModelRequest,
    key: string | undefined,
    context: ModelCallContext,
  ): Promise<unknown> {
    const { onText } = context;
    const ask = (giveBack: GiveBack, encrypted: boolean): Promise<unknown> => {
      const body = { ...api.body(request, giveBack, encrypted), ...(stream ? api.asStream : {}) };
      return send(api.path, body, key, context, onText && textTo(onText, api.textIn));
    };
    let given = false;
    const own: GiveBack = (part) => {
      const isOwn =
        part?.dialect === api.dialect && part.origin === origin && part.model === request.model;
      given ||= isOwn;
      return isOwn ? part : undefined;
    };
    const encrypted = !unencrypted.has(request.model);
    try {
      return await ask(own, encrypted);
    } catch (error) {
      const refused = refusedPart(error);
      if (refused === 'given' && given) return ask(() => undefined, encrypted);
      if (refused !== 'asked' || !encrypted) throw error;
      unencrypted.add(request.model);
      return ask(own, false);
    }
  }

  return {
    async complete(request, context) {
      const { signal, timeoutMs } = context;
      const { model } = request;
      signal.throwIfAborted();
      const key = await keyOf(endpoint);
      const about = { names, renews, scrub: createScrub(credentialsOf(endpoint, key), request) };
      let answer: unknown;
      try {
        answer = await answerTo(request, key, context);
      } catch (error) {
        throw toModelError(error, { model, signal, timeoutMs, ...about });
      }
      const { calls, data, ...reply } = readReply(api, answer, request, about);
      const opaque = (part: JsonValue | undefined): Pick<ModelReply, 'opaque'> =>
        part === undefined ? {} : { opaque: { dialect: api.dialect, origin, model, data: part } };
      return {
        ...reply,
        ...opaque(data),
        calls: calls.map(({ data: part, ...call }) => ({ ...call, ...opaque(part) })),
      };
    },
  };
}
