import type { FastifyReply } from 'fastify';

/** Aborts when the caller has gone, or the service stops: nobody waits for the answer any more. */
export function closing({ raw, server }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => gone.abort(new Error('The caller has gone.')));
  return AbortSignal.any([gone.signal, server.stopping]);
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Aborts when the service begins to stop. */
    stopping: AbortSignal;
  }
}
