import { STATUS_CODES, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { utf8Bytes } from '../../contract/json.ts';
import { PROBLEM_JSON } from '../idempotency/problem-details.ts';
import { HttpProblem, problemOf, type HttpProblemCode } from './problem.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** What Node found, and what is said of it. */
const UNREADABLE: Record<string, readonly [HttpProblemCode, string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: [
    'http.request_timeout',
    'The request did not come whole in time. Nothing was done; the same key can be used again.',
  ],
  HPE_HEADER_OVERFLOW: ['http.header_too_large', 'The header of the request is too large.'],
};

/** A request that is no HTTP, or not all of one, has no reply to answer with. */
export function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return;
  const [code, detail] = UNREADABLE[error.code ?? ''] ?? [
    'http.bad_request',
    'The request cannot be read as HTTP.',
  ];
  const { status, headers, body } = answerOf(code, detail);
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines}connection: close\r\n\r\n${body}`,
  );
}

/** Node answers some requests by itself, without a body: those are problems too. */
export function answerInPlaceOfNode(app: FastifyInstance): void {
  // Node would do it (RFC 9112 section 3.2), if it were not told to leave it to us.
  app.addHook('onRequest', async ({ headers, raw }) => {
    if (headers.host === undefined && raw.httpVersion === '1.1') {
      throw new HttpProblem('http.bad_request', 'The Host header is missing. Nothing was done.');
    }
  });
  (app.server as Server).on('checkExpectation', (_request, response) => {
    const { status, headers, body } = answerOf(
      'http.expectation_failed',
      'Of expectations only 100-continue is known. Nothing was done.',
    );
    for (const [name, value] of headers) response.setHeader(name, value);
    // The body may be on its way, or never come.
    response.setHeader('connection', 'close');
    response.writeHead(status).end(body);
  });
}

function answerOf(
  code: HttpProblemCode,
  detail: string,
): { status: number; headers: readonly (readonly [string, string])[]; body: string } {
  const { problem } = problemOf(new HttpProblem(code, detail));
  const body = JSON.stringify(problem);
  return {
    status: problem.status,
    body,
    headers: [
      ...SECURITY_HEADERS,
      ['content-type', `${PROBLEM_JSON}; charset=utf-8`],
      ['content-length', String(utf8Bytes(body))],
    ],
  };
}
