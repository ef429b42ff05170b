import { setTimeout as sleep } from 'node:timers/promises';
import { NotTakenError } from './receiver.ts';

/** A receiver may ask for at most this: a clock that is wrong must not silence it for days. */
const LONGEST_WAIT_MS = 3_600_000;

/**
 * Sends JSON, follows no redirect, and reads nothing of the answer but its status.
 *
 * @throws {NotTakenError} for anything but 2xx; the address, which may hold a secret, is not in it
 */
export async function postJson(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const request = {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'user-agent': 'agent-once', ...headers },
    redirect: 'manual',
    signal,
  } as const;
  const response = await fetch(url, request).catch((error: unknown) => {
    throw new NotTakenError(signal.aborted ? 'It did not answer in time.' : causeOf(error));
  });
  // An answer without an end must not hold the connection.
  await Promise.race([response.body?.cancel(), sleep(1_000, undefined, { ref: false })]);
  if (response.ok) return;
  throw new NotTakenError(
    `It answered ${response.status}.`,
    retryAfter(response.headers.get('retry-after')),
  );
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer';
  return `It cannot be reached (${code}).`;
}

/** Seconds, or a date of HTTP. */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, LONGEST_WAIT_MS) : undefined;
}
