import type { FastifyReply } from 'fastify';

/** @param reply with its status, where that is not 200 */
export function sendPage(reply: FastifyReply, page: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(page);
}
