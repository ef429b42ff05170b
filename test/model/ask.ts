import { createOpenAiModel } from '../../src/model/openai/openai-model.ts';
import type { ModelEndpoint } from '../../src/contract/model-endpoint.ts';
import type { ModelCallContext, ModelRequest } from '../../src/model/port.ts';
import { ModelError } from '../../src/model/port.ts';

export const API_KEY = 'configured-key-0123456789';

export const request: ModelRequest = {
  model: 'scripted',
  messages: [{ role: 'user', content: 'hello' }],
  tools: [],
};

export const context = (changes: Partial<ModelCallContext> = {}): ModelCallContext => ({
  token: 'scope:t1.model',
  round: 0,
  workflowId: 'agent-a-k',
  signal: new AbortController().signal,
  timeoutMs: 20_000,
  ...changes,
});

export function ask(
  baseUrl: string,
  asked: Partial<ModelRequest> = {},
  changes: Partial<ModelCallContext> = {},
  options: ModelEndpoint = {},
) {
  const model = createOpenAiModel({ baseUrl, apiKey: API_KEY, ...options });
  return model.complete({ ...request, ...asked }, context(changes));
}

/** The `ModelError` that a call ends with; anything else fails the test. */
export async function modelError(call: Promise<unknown>): Promise<ModelError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('The call was expected to fail.');
}
