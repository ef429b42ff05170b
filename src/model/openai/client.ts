import OpenAI from 'openai';
import type { JsonObject } from '../../contract/json.ts';
import type { ModelCallContext } from '../port.ts';
import type { Endpoint } from './endpoint.ts';
import { readErrorBody } from './error-body.ts';

/** For endpoints that take any key, or none: the package insists on one. */
const NO_KEY = 'none';

/**
 * Sends one request to an endpoint, never a second one: Temporal owns the retries.
 *
 * @returns the answer as JSON; as text where the endpoint calls it something else
 */
export type Send = (
  path: string,
  body: JsonObject,
  key: string,
  context: Pick<ModelCallContext, 'workflowId' | 'signal' | 'timeoutMs'>,
) => Promise<unknown>;

/** A client of an endpoint that takes nothing from the environment past `src/config.ts`. */
export function createSend({ baseUrl, apiKey = NO_KEY, headers }: Endpoint): Send {
  const client = new OpenAI({
    baseURL: baseUrl,
    apiKey,
    maxRetries: 0,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    // On `debug` it would log whole conversations.
    logLevel: 'off',
    fetch: fetchWithErrors,
  });
  return (path, body, key, { workflowId, signal, timeoutMs }) =>
    client.post<unknown>(path, {
      body,
      signal,
      timeout: timeoutMs,
      // The package reads OPENAI_CUSTOM_HEADERS itself, as src/config.ts does: what stands here wins.
      headers: {
        Authorization: `Bearer ${apiKey}`,
        ...headers,
        // Its own `idempotencyKey` option is dropped without a configured header name.
        'Idempotency-Key': key,
        'X-Agent-Run-Id': workflowId,
      },
    });
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
