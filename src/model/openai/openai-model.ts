import { APIError } from 'openai';
import type { JsonObject } from '../../contract/json.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import type { Model, ModelCallContext, ModelReply, ModelRequest } from '../port.ts';
import { usableReply, type Reading } from './answer.ts';
import { readBody, type Merged } from './body.ts';
import { mergeChunks } from './chat/merge-chunks.ts';
import { readChat, usageOfChat } from './chat/read-chat.ts';
import { toChatRequest } from './chat/chat-request.ts';
import { createSend } from './client.ts';
import { resolveEndpoint, type Endpoint, type EndpointOptions } from './endpoint.ts';
import { readError } from './error-body.ts';
import { fromErrorInAnswer, toModelError } from './errors.ts';
import type { Kept } from './kept.ts';
import { requestToken } from './request-token.ts';
import { lastResponse } from './responses/last-response.ts';
import { readResponse, usageOfResponse } from './responses/read-response.ts';
import { toResponsesRequest } from './responses/responses-request.ts';
import { cutOff, misread } from './unusable.ts';

/** One of the two ways in which an endpoint is spoken to. */
interface Api {
  path: string;
  /** Names the parts that came this way. */
  dialect: string;
  body(request: ModelRequest, kept: Kept, encrypted: boolean): JsonObject;
  /** `undefined`: they are no events of this API. */
  merge(events: readonly JsonValue[], done: boolean): Merged | undefined;
  read(value: unknown): Reading | undefined;
  usage(value: unknown): Reading['usage'];
  /** What an answer should have been, for people. */
  name: string;
}

/**
 * A model behind any endpoint that speaks OpenAI's chat completions or its Responses: OpenAI, Azure,
 * Gemini, DeepSeek, Kimi, Mistral, OpenRouter, vLLM, Ollama, the scripted model.
 *
 * @throws {AgentOnceError} `config.invalid`
 */
export function createOpenAiModel(options: EndpointOptions = {}): Model {
  const endpoint = resolveEndpoint(options);
  const api = endpoint.api === 'responses' ? responsesApi() : chatApi(endpoint);
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
      let answer: unknown;
      try {
        answer = await answerTo(request, context);
      } catch (error) {
        throw toModelError(error, { model, signal, timeoutMs, secrets });
      }
      const { calls, data, ...reply } = usableReply(
        readAnswer(api, answer, model, secrets),
        request,
        secrets,
      );
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

function chatApi(endpoint: Endpoint): Api {
  return {
    path: '/chat/completions',
    dialect: endpoint.dialect,
    body: (request, kept) => toChatRequest(request, endpoint, kept),
    merge: mergeChunks,
    read: readChat,
    usage: usageOfChat,
    name: 'chat completion',
  };
}

function responsesApi(): Api {
  return {
    path: '/responses',
    dialect: 'responses',
    body: toResponsesRequest,
    merge: lastResponse,
    read: readResponse,
    usage: usageOfResponse,
    name: 'response',
  };
}

/**
 * Reads what came with status 200, which can be anything: a proxy's page, `{}`, an error.
 *
 * @throws {ModelError}
 */
function readAnswer(
  { name, read, merge, usage }: Api,
  answer: unknown,
  model: string,
  secrets: readonly string[],
): Reading {
  const body = readBody(answer);
  // It comes from a proxy, and says nothing about the request behind it: that keeps its token.
  if (body.kind === 'page') throw misread('a web page');
  if (body.kind === 'text') throw misread('text that is not JSON', { model, usage: null });
  const merged = body.kind === 'events' ? merge(body.events, body.done) : body;
  if (merged === 'cut') throw cutOff();
  const value = merged?.value;
  const reading = read(value);
  if (reading) return reading;
  const used = usage(value);
  if (hasError(value)) {
    throw fromErrorInAnswer(readError(value), { model, usage: used ?? NO_USAGE }, secrets);
  }
  const what = body.kind === 'events' ? 'an event stream that has' : 'JSON that is';
  throw misread(`${what} no ${name}`, { model, usage: used });
}

const NO_USAGE = { inputTokens: 0, outputTokens: 0 };

function hasError(value: unknown): boolean {
  const body: unknown = Array.isArray(value) ? value[0] : value;
  return typeof body === 'object' && body !== null && 'error' in body && Boolean(body.error);
}

/** Words for a part that the endpoint cannot open, or does not know as its own. */
const FOREIGN_PART =
  /encrypted content .*could not be verified|item (?:with id )?'?rs_\S* not found|thought[ _]signature/i;

/**
 * What a refused request must leave out: parts that were given back, which another organisation's
 * key or a changed one cannot open; or the question for encrypted thoughts, which models without
 * thoughts refuse. Neither refusal costs anything.
 */
function refusedPart(error: unknown): 'given' | 'asked' | undefined {
  if (!(error instanceof APIError) || (error.status !== 400 && error.status !== 404)) return;
  const { code, message } = readError(error.error);
  if (code === 'invalid_encrypted_content' || FOREIGN_PART.test(message)) return 'given';
  return /encrypted content is not supported/i.test(message) ? 'asked' : undefined;
}
