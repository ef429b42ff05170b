import { serializeItem } from 'structured-headers';
import type { OpenQuestion } from '../src/contract/decision.ts';
import { workflowIdOf, DEFAULT_TENANT } from '../src/contract/key.ts';
import { cut, type Perform, type Told } from './answer.ts';

/** Far beyond what any answer takes: none is a finding. */
const ANSWERS_WITHIN_MS = 60_000;

interface Received {
  told: Told;
  body: { runId?: string; waiting?: OpenQuestion[] };
}

/**
 * Does what an order says with one plain HTTP request each, which is not repeated: a client that
 * tries again would hide what is looked for.
 *
 * @param url of the service
 */
export function performOver(url: string, agent: string): Perform {
  return async ({ operation, key, input, maxTurns, approves }) => {
    const id = workflowIdOf({ tenant: DEFAULT_TENANT, agent, key });
    const runUrl = `${url}/v1/runs/${encodeURIComponent(id)}`;
    switch (operation) {
      case 'start': {
        const { told, body } = await send(`${url}/v1/agents/${agent}/runs`, {
          body: { input, limits: { maxTurns } },
          headers: { 'idempotency-key': serializeItem(key) },
        });
        return body.runId === undefined ? told : { ...told, runId: body.runId };
      }
      case 'status':
        return (await send(runUrl)).told;
      case 'decide': {
        const { told, body } = await send(runUrl);
        const question = body.waiting?.find(({ kind }) => kind === 'approval');
        if (told.code !== 'ok') return told;
        if (!question) return { ...told, code: 'none' };
        const decision = approves ? 'approve' : 'deny';
        const { step, round } = question;
        return (
          await send(`${runUrl}/steps/${step}/decision`, {
            body: { decision, round, by: 'a fuzzing process' },
          })
        ).told;
      }
      case 'resume':
        return (await send(`${runUrl}/resume`, { body: { limits: { maxTurns } } })).told;
      default:
        return (await send(`${runUrl}/${operation}`, { body: {} })).told;
    }
  };
}

async function send(
  url: string,
  post?: { body: object; headers?: Record<string, string> },
): Promise<Received> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(ANSWERS_WITHIN_MS),
      ...(post && {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...post.headers },
        body: JSON.stringify(post.body),
      }),
    });
    const text = await response.text();
    const { status } = response;
    const body = JSON.parse(text) as Received['body'] & { code?: string };
    if (!response.ok)
      return { told: { code: String(body.code), status, text: cut(text) }, body: {} };
    const made = response.headers.get('idempotent-replayed') !== 'true';
    return { told: { code: 'ok', status, made }, body };
  } catch (error) {
    return { told: { code: 'no answer that can be read', text: cut(String(error)) }, body: {} };
  }
}
