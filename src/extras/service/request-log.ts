import { LogController, type FastifyReply, type FastifyRequest } from 'fastify';

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
    const line = { req: request, res: reply, keyPrefix, responseTime: reply.elapsedTime };
    if (error) request.log.error({ ...line, err: error }, 'request errored');
    else request.log.info(line, 'request completed');
  }
}
