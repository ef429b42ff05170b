import { APIError } from 'openai';
import type { JsonObject } from '../../contract/json.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import {
  ModelError,
  type Model,
  type ModelCallContext,
  type ModelReply,
  type ModelRequest,
} from '../port.ts';
import { usableReply, type BareReply, type Reading } from './answer.ts';
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
      // What the endpoint gets back must stand in no message either.
      const hidden = [...secrets, ...partsOf(request)];
      let answer: unknown;
      try {
        answer = await answerTo(request, context);
      } catch (error) {
        throw toModelError(error, { model, signal, timeoutMs, secrets: hidden });
      }
      const { calls, data, ...reply } = readReply(api, answer, request, hidden);
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

/** The texts of the parts that a request gives back, the longest first. */
function partsOf({ messages }: ModelRequest): string[] {
  const parts = messages.flatMap((message) =>
    message.role === 'assistant'
      ? [message.opaque?.data, ...message.calls.map(({ opaque }) => opaque?.data)]
      : [],
  );
  const texts = parts.flatMap((part) => (part === undefined ? [] : textsIn(part)));
  const told = texts.flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]);
  return [...new Set(told)].sort((a, b) => b.length - a.length);
}

/** Shorter ones are names, kinds and words of a language. */
const SHORTEST_PART = 16;

function textsIn(value: JsonValue): string[] {
  if (typeof value === 'string') return value.length >= SHORTEST_PART ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((inside: JsonValue) => textsIn(inside));
}

/**
 * @throws {ModelError} also where the answer breaks what reads it: the next one may not
 */
function readReply(
  api: Api,
  answer: unknown,
  request: ModelRequest,
  secrets: readonly string[],
): BareReply {
  const { model } = request;
  try {
    return usableReply(readAnswer(api, answer, model, secrets), request, secrets);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw misread('something that cannot be read', { model, usage: null });
  }
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
  if (merged === 'cut' || (body.kind === 'events' && body.broken)) throw cutOff();
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

/** Of an error's text: what it is about stands at its beginning. */
const READ = 2_000;
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
  const said = message.slice(0, READ);
  if (code === 'invalid_encrypted_content' || FOREIGN_PART.test(said)) return 'given';
  return /encrypted content is not supported/i.test(said) ? 'asked' : undefined;
}
