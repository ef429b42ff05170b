import type { JsonValue } from '../../contract/json-value.ts';
import type { Model, ModelCallContext, ModelReply, ModelRequest } from '../port.ts';
import { apiOf } from './api.ts';
import { createSend } from './client.ts';
import { resolveEndpoint, type EndpointOptions } from './endpoint.ts';
import { toModelError } from './errors.ts';
import type { Kept } from './kept.ts';
import { partTexts } from './part-texts.ts';
import { readReply } from './read-answer.ts';
import { refusedPart } from './refused-part.ts';
import { requestToken } from './request-token.ts';
import { scrub, type Scrub } from './scrub.ts';

/**
 * A model behind any endpoint that speaks OpenAI's chat completions or its Responses: OpenAI, Azure,
 * Gemini, DeepSeek, Kimi, Mistral, OpenRouter, vLLM, Ollama, the scripted model.
 *
 * @throws {AgentOnceError} `config.invalid`
 */
export function createOpenAiModel(options: EndpointOptions = {}): Model {
  const endpoint = resolveEndpoint(options);
  const api = apiOf(endpoint);
  const send = createSend(endpoint);
  const { origin, baseUrl, secrets } = endpoint;
  /** Models that have no thoughts to encrypt. */
  const unencrypted = new Set<string>();

  function ask(
    request: ModelRequest,
    context: ModelCallContext,
    kept: Kept,
    encrypted: boolean,
  ): Promise<unknown> {
    const { token, round } = context;
    const body = api.body(request, kept, encrypted);
    const key = requestToken(token, `${baseUrl}${api.path}`, JSON.stringify(body), round);
    return send(api.path, body, key, context);
  }

  /** Asks, and once more where the endpoint refuses what it had given, or was asked to give. */
  async function answerTo(request: ModelRequest, context: ModelCallContext): Promise<unknown> {
    let given = false;
    const own: Kept = (part) => {
      const isOwn =
        part?.dialect === api.dialect && part.origin === origin && part.model === request.model;
      given ||= isOwn;
      return isOwn ? part : undefined;
    };
    const encrypted = !unencrypted.has(request.model);
    try {
      return await ask(request, context, own, encrypted);
    } catch (error) {
      const refused = refusedPart(error);
      if (refused === 'given' && given) return ask(request, context, () => undefined, encrypted);
      if (refused !== 'asked' || !encrypted) throw error;
      unencrypted.add(request.model);
      return ask(request, context, own, false);
    }
  }

  return {
    async complete(request, context) {
      const { signal, timeoutMs } = context;
      const { model } = request;
      signal.throwIfAborted();
      // What the endpoint gets back must stand in no message either.
      const clean: Scrub = (text) => scrub(text, [...secrets, ...partTexts(request)]);
      let answer: unknown;
      try {
        answer = await answerTo(request, context);
      } catch (error) {
        throw toModelError(error, { model, signal, timeoutMs, scrub: clean });
      }
      const { calls, data, ...reply } = readReply(api, answer, request, clean);
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
