import type { JsonValue } from '../../contract/json-value.ts';
import type { ModelEndpoint } from '../../contract/model-endpoint.ts';
import type { Model, ModelCallContext, ModelReply, ModelRequest } from '../port.ts';
import { apiOf } from './api.ts';
import { createSender, type Answer } from './client.ts';
import { keyOf, resolveEndpoint, secretsOf } from './endpoint.ts';
import { refusedPart, toModelError } from './errors.ts';
import { readReply } from './read-answer.ts';
import { textTo } from './read-stream.ts';
import type { GiveBack } from './request-parts.ts';
import { begunIn, createBackground, foundHere } from './responses/background.ts';
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
  const sender = createSender(endpoint);
  const { origin, names, stream } = endpoint;
  const renews = typeof endpoint.apiKey === 'function';
  /** Models that have no thoughts to encrypt. */
  const unencrypted = new Set<string>();
  const responses = createBackground(endpoint, sender, unencrypted);

  /** Asks, and once more where the endpoint refuses what it had given, or was asked to give. */
  async function answerTo(
    request: ModelRequest,
    key: string | undefined,
    context: ModelCallContext,
  ): Promise<Answer> {
    const { onText, background } = context;
    const how = stream ? api.asStream : endpoint.background && background && { background: true };
    const ask = (giveBack: GiveBack, encrypted: boolean): Promise<Answer> => {
      const body = { ...api.body(request, giveBack, encrypted), ...how };
      return sender.post(api.path, body, key, context, onText && textTo(onText, api.textIn));
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
    async cancel(pending, context) {
      if (endpoint.api === 'responses' && pending.origin === origin)
        await responses.cancel(pending, context);
    },
    async complete(request, context) {
      const { signal, timeoutMs, background } = context;
      const { model } = request;
      const until = Date.now() + timeoutMs;
      signal.throwIfAborted();
      const secrets = secretsOf(endpoint);
      const about = { names, renews, scrub: createScrub(secrets, request) };
      const key = await keyOf(endpoint, signal, secrets);
      const toError = (error: unknown): unknown =>
        toModelError(error, { model, signal, timeoutMs, ...about });
      let answer: unknown;
      try {
        const found = await foundHere(background, endpoint, model);
        const first = found ? undefined : await answerTo(request, key, context);
        const begun = endpoint.background ? begunIn(first?.value, origin, model) : undefined;
        if (begun) await background?.keep(begun);
        const pending = found ?? begun;
        answer = pending
          ? await responses.untilMade(pending, { first, context, until, toError, secrets })
          : first?.value;
      } catch (error) {
        throw toError(error);
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
