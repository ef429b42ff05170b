import { startEndpoint } from '../model/http-endpoint.ts';

export type EndpointName = 'first' | 'second' | 'third';

/** The endpoints of the test agent `cautious`, each a server of its own. */
export async function startThreeEndpoints() {
  const [first, second, third] = await Promise.all([
    startEndpoint(),
    startEndpoint(),
    startEndpoint(),
  ]);
  const all = { first, second, third };
  const definitions = Object.fromEntries(
    Object.entries(all).map(([name, { url }]) => [name, { baseUrl: url, model: `model-${name}` }]),
  );
  return {
    ...all,
    /** For a worker. */
    env: { TEST_MODELS: JSON.stringify(definitions) },
    /** How often each was asked for a step, by the step's token. */
    asked: (token: string) =>
      Object.fromEntries(
        Object.entries(all).map(([name, { received }]) => [
          name,
          received.filter(({ headers }) =>
            String(headers['idempotency-key']).startsWith(`${token}~`),
          ).length,
        ]),
      ) as Record<EndpointName, number>,
    async stop() {
      await Promise.all([first.stop(), second.stop(), third.stop()]);
    },
  };
}

export type ThreeEndpoints = Awaited<ReturnType<typeof startThreeEndpoints>>;

/** A final answer in the words of chat completions; with `call`, one that asks for the tool `look`. */
export function chatAnswer(content: string, call?: { label: string }): object {
  const asked = {
    id: 'c1',
    type: 'function',
    function: { name: 'look', arguments: JSON.stringify(call) },
  };
  return {
    object: 'chat.completion',
    model: 'scripted-priced',
    choices: [
      {
        message: call ? { content: null, tool_calls: [asked] } : { content },
        finish_reason: call ? 'tool_calls' : 'stop',
      },
    ],
    usage: { prompt_tokens: 100, completion_tokens: 10 },
  };
}

export const NO_CREDIT = { error: { code: 'insufficient_quota', message: 'no credit' } };
export const GONE = { error: { code: 'model_not_found', message: 'no such model' } };
export const BUSY = { error: { message: 'overloaded' } };
