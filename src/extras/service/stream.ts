import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isStillAllowed } from './authenticate.ts';
import { closing } from './closing.ts';
import type { ServiceDeps } from './deps.ts';

/** Also how long a stream outlives the API key that it was opened with. */
const KEEP_ALIVE_MS = 15_000;
/** Whoever has read nothing for so long comes back with the ID of its last event, if at all. */
const STALLED_MS = 120_000;

export const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'x-accel-buffering': 'no',
};

/**
 * Begins a stream of server-sent events: from here on nothing but events can be answered. It ends
 * when `work` does, and no later than the reader, the service or the API key.
 *
 * @param work given where to write, and what aborts when the stream has to end
 */
export async function streamEvents(
  deps: Pick<ServiceDeps, 'apiKeys'>,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (response: ServerResponse, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const revoked = new AbortController();
  const signal = AbortSignal.any([closing(reply), revoked.signal]);
  const { raw } = reply;
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) raw.setHeader(name, value);
  }
  raw.writeHead(200, STREAM_HEADERS);
  raw.write('retry: 2000\n\n');
  reply.hijack();
  raw.setTimeout(STALLED_MS, () => raw.destroy());
  const alive = setInterval(() => {
    // Tells proxies and readers that the connection lives.
    if (!raw.writableNeedDrain) raw.write(': still here\n\n');
    void endIfRevoked(deps, request, revoked);
  }, KEEP_ALIVE_MS);
  try {
    await work(raw, signal);
  } catch (error) {
    request.log.warn({ err: error }, 'A stream of events broke off');
    raw.end();
  } finally {
    clearInterval(alive);
    // The reader comes back by itself, with the ID of its last event.
    if (signal.aborted) raw.end();
  }
}

/** A key that was revoked reads no further. */
async function endIfRevoked(
  deps: Pick<ServiceDeps, 'apiKeys'>,
  request: FastifyRequest,
  revoked: AbortController,
): Promise<void> {
  try {
    if (await isStillAllowed(deps, request)) return;
    revoked.abort(new Error('The API key was revoked.'));
  } catch (error) {
    // Where keys cannot be looked up the steps cannot be read either: that ends the stream.
    request.log.warn({ err: error }, 'An API key could not be looked up');
  }
}
