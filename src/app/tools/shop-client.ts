import { NotApplied, type ToolContext } from '../../index.ts';
import { settings } from '../settings.ts';

/** What the model should hear and can act on; the rest is for the retry policy. */
const FOR_THE_MODEL = [400, 404, 409];

/**
 * Asks the shop. Sends `ctx.headers`, so the shop knows a repeated request by its
 * `Idempotency-Key`, and stops with `ctx.signal`.
 *
 * @returns the shop's answer, or `{ error }` where it refuses: no such order, too much money
 * @throws {NotApplied} where it is certain that nothing happened: the shop was not reached, or it
 *   refused the request (429 and the like)
 * @throws {Error} whatever else may be different next time: the connection broke, 5xx. Nobody knows
 *   then whether it happened
 */
export async function askShop(
  ctx: Pick<ToolContext, 'headers' | 'signal'>,
  path: string,
  body?: object,
): Promise<unknown> {
  const url = new URL(path, settings.shopUrl());
  const response = await fetch(url, {
    method: body ? 'POST' : 'GET',
    headers: { ...ctx.headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
    signal: ctx.signal,
  }).catch((error: unknown) => {
    throw wasNotReached(error)
      ? new NotApplied(`The shop at ${url.host} cannot be reached.`)
      : error;
  });
  const { status } = response;
  // A duplicate of a request that is still being worked on: its outcome is not known yet.
  if (status === 409 && response.headers.has('retry-after')) {
    throw new Error(`The shop is still at work on an earlier request to ${path}.`);
  }
  if (response.ok || FOR_THE_MODEL.includes(status)) return response.json();
  const message = `The shop answered ${status} to ${path}.`;
  throw status < 500 ? new NotApplied(message) : new Error(message);
}

/** The request did not leave this machine. After any other error of the network it may have. */
function wasNotReached(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: unknown } };
  return cause?.code === 'ECONNREFUSED' || cause?.code === 'ENOTFOUND';
}
