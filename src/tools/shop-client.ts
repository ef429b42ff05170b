import { readConfig } from '../config.ts';
import type { ToolContext } from './define-tool.ts';

/** What the model should hear and can act on; the rest is for the retry policy. */
const FOR_THE_MODEL = [400, 404, 409];

/**
 * Asks the shop. Sends `ctx.headers`, so the shop knows a repeated request by its
 * `Idempotency-Key`, and stops with `ctx.signal`.
 *
 * @returns the shop's answer, or `{ error }` where it refuses: no such order, too much money
 * @throws whatever may be different next time: the network, 5xx
 */
export async function askShop(
  ctx: Pick<ToolContext, 'headers' | 'signal'>,
  path: string,
  body?: object,
): Promise<unknown> {
  const response = await fetch(new URL(path, readConfig().shopUrl), {
    method: body ? 'POST' : 'GET',
    headers: { ...ctx.headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
    signal: ctx.signal,
  });
  if (!response.ok && !FOR_THE_MODEL.includes(response.status)) {
    throw new Error(`The shop answered ${response.status} to ${path}.`);
  }
  return response.json();
}
