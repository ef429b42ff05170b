import { LogController, type FastifyReply, type FastifyRequest } from 'fastify';
import { identifyById, type RunIdentity } from '../../client/context.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The run that a request asked for, or got. */
    run: (Pick<RunIdentity, 'agent' | 'tenant' | 'workflowId'> & { runId?: string }) | null;
  }
}

/** The run that a request is about. Its workflow ID holds the key: it is for loggers that hide it. */
export function aboutRun(request: FastifyRequest): object {
  const { id } = (request.params ?? {}) as { id?: unknown };
  const named: FastifyRequest['run'] = (typeof id === 'string' && identifyById(id)) || null;
  const { agent, tenant, workflowId, runId } = request.run ?? named ?? {};
  return { agent, tenant, workflowId, runId };
}

/** One line for each request, once it is answered; of its beginning only where one looks closely. */
export class RequestLog extends LogController {
  override incomingRequest(request: FastifyRequest): void {
    request.log.debug({ req: request }, 'incoming request');
  }

  override requestCompleted(
    error: Error | null | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    const { keyPrefix } = request.caller ?? {};
    const line = {
      req: request,
      res: reply,
      ...aboutRun(request),
      keyPrefix,
      responseTime: reply.elapsedTime,
    };
    if (error) request.log.error({ ...line, err: error }, 'request errored');
    else request.log.info(line, 'request completed');
  }
}
