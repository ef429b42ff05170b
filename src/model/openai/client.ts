import OpenAI, { type APIPromise } from 'openai';
import { sha256Hex } from '../../contract/hash.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { ModelCallContext } from '../port.ts';
import type { Endpoint } from './endpoint.ts';
import { readErrorBody } from './error-body.ts';
import { readStream } from './read-stream.ts';

/** For endpoints that take any key, or none: the package insists on one. */
const NO_KEY = 'none';

export interface Answer {
  /** JSON; text where it is a stream, or the endpoint calls it something else. */
  value: unknown;
  headers: Headers;
}

type Context = Pick<ModelCallContext, 'workflowId' | 'signal' | 'timeoutMs' | 'headers'>;

/** Sends one request to an endpoint, never a second one: Temporal owns the retries. */
export interface Sender {
  /** @param tell gets the pieces of a stream that was asked for */
  post(
    path: string,
    body: JsonObject,
    key: string | undefined,
    context: ModelCallContext,
    tell?: (piece: string) => void,
  ): Promise<Answer>;
  get(path: string, query: object, key: string | undefined, context: Context): Promise<Answer>;
}

/** A client of an endpoint that takes nothing from the environment past `src/config.ts`. */
export function createSender({ baseUrl, headers, streamIdleMs }: Endpoint): Sender {
  const client = new OpenAI({
    baseURL: baseUrl,
    apiKey: NO_KEY,
    maxRetries: 0,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    // On `debug` it would log whole conversations.
    logLevel: 'off',
    fetch: fetchWithErrors,
  });
  const optionsOf = (key = NO_KEY, context: Context, more = {}) => ({
    signal: context.signal,
    timeout: context.timeoutMs,
    // The package reads OPENAI_CUSTOM_HEADERS itself, as src/config.ts does: what stands here wins.
    headers: {
      Authorization: `Bearer ${key}`,
      ...context.headers,
      ...headers,
      ...more,
      'X-Agent-Run-Id': context.workflowId,
    },
  });
  const answerTo = async (sent: APIPromise<unknown>): Promise<Answer> => {
    const { data, response } = await sent.withResponse();
    return { value: data, headers: response.headers };
  };
  return {
    async post(path, body, key, context, tell) {
      // Its own `idempotencyKey` option is dropped without a configured header name.
      const token = { 'Idempotency-Key': requestToken(`${baseUrl}${path}`, body, context) };
      const sent = client.post<unknown>(path, { body, ...optionsOf(key, context, token) });
      if (body['stream'] !== true) return answerTo(sent);
      const response = await sent.asResponse();
      const value = await readStream(response, streamIdleMs, tell);
      return { value, headers: response.headers };
    },
    get: (path, query, key, context) =>
      answerTo(client.get<unknown>(path, { query, ...optionsOf(key, context) })),
  };
}

/** The package reads an error's code and text only where OpenAI has them. */
const fetchWithErrors: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  // Others have no body, or are none of the endpoint's words.
  if (response.status < 400) return response;
  const error = readErrorBody(await response.text());
  const headers = new Headers(response.headers);
  headers.set('content-type', 'application/json');
  return new Response(JSON.stringify({ error }), { status: response.status, headers });
};

const DIGITS = 12;

/**
 * The idempotency key of one request: the step's token, and what tells its requests apart. The same
 * in every attempt of the same request, until a whole answer to it was read. A server that keeps
 * answers by their key then neither gives an unusable one for ever nor one to another request.
 */
function requestToken(url: string, body: JsonObject, { token, round }: ModelCallContext): string {
  const hash = sha256Hex(JSON.stringify([url, round]) + JSON.stringify(body));
  return `${token}~${hash.slice(0, DIGITS)}`;
}
