import OpenAI from 'openai';
import { AgentOnceError } from '../../contract/errors.ts';
import type { Model } from '../port.ts';
import { readAnswer } from './answer.ts';
import { toModelError } from './errors.ts';
import { toChatRequest } from './request.ts';

const OPENAI = 'https://api.openai.com/v1';

/** For endpoints that take any key, or none: the package insists on one. */
const NO_KEY = 'none';

/**
 * A model behind any endpoint that speaks OpenAI's chat completions: OpenAI, vLLM, Ollama, the
 * scripted model. One request per call: Temporal owns the retries.
 *
 * @param options `baseUrl`: up to and with `/v1`; default: OpenAI's. `apiKey`: needed without a
 *   `baseUrl`; many other endpoints take none
 * @throws {AgentOnceError} `config.invalid`
 */
export function createOpenAiModel(options: { baseUrl?: string; apiKey?: string } = {}): Model {
  const { baseUrl, apiKey } = options;
  if (baseUrl === undefined && apiKey === undefined) {
    throw new AgentOnceError(
      'config.invalid',
      'No model is configured. Set OPENAI_API_KEY for OpenAI, or OPENAI_BASE_URL for another endpoint that speaks chat completions.',
    );
  }
  if (baseUrl !== undefined) assertBaseUrl(baseUrl);
  const client = new OpenAI({
    baseURL: baseUrl ?? OPENAI,
    apiKey: apiKey ?? NO_KEY,
    maxRetries: 0,
    // Left out, the package would read these from the environment, past src/config.ts.
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    // On `debug` it would log whole conversations.
    logLevel: 'off',
  });
  return {
    complete: async (request, { token, workflowId, signal, timeoutMs }) => {
      signal.throwIfAborted();
      let answer: unknown;
      try {
        answer = await client.chat.completions.create(toChatRequest(request), {
          signal,
          timeout: timeoutMs,
          // Its own `idempotencyKey` option is dropped without a configured header name.
          headers: { 'Idempotency-Key': token, 'X-Agent-Run-Id': workflowId },
        });
      } catch (error) {
        throw toModelError(error, { signal, timeoutMs, apiKey });
      }
      return readAnswer(answer, request.model, apiKey);
    },
  };
}

function assertBaseUrl(baseUrl: string): void {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  let problem: string | undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    problem = 'is not an http or https URL, such as http://127.0.0.1:8000/v1';
  } else if (url.username !== '' || url.password !== '') {
    problem = 'has a user name or password in it; put the credential into OPENAI_API_KEY';
  }
  if (problem !== undefined) {
    throw new AgentOnceError('config.invalid', `OPENAI_BASE_URL ${problem}.`);
  }
}
