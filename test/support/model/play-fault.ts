import type { FastifyReply } from 'fastify';
import { invalid, type Problem } from '../../../src/extras/dev/scripted-model/dialect.ts';
import { keyConflict, promptFiltered, toolUseFailed } from './fault-bodies.ts';
import type { TransportFault } from './fault.ts';

const PAGE = '<!doctype html><title>Welcome</title><h1>It works!</h1>\n';

/** What would have been sent. */
export interface Due {
  /** A JSON document or server-sent events. */
  type: string;
  text: string;
  /** The same as JSON, and as server-sent events. */
  json: () => string;
  events: () => string;
  /** Errors in the endpoint's form. */
  errorBody: (problem: Problem) => unknown;
}

/** Plays a fault of the wire on a response that nothing was written to. */
export function playFault(http: FastifyReply, fault: TransportFault, due: Due): void {
  const send = (status: number, type: string, text: string) =>
    void http.code(status).type(type).send(text);
  const sendJson = (status: number, body: unknown) =>
    send(status, 'application/json', JSON.stringify(body));
  const fail = (problem: Problem) => sendJson(problem.status, due.errorBody(problem));
  switch (fault.kind) {
    case 'hang':
      // The response stays open until the client goes or the server stops.
      http.hijack();
      return;
    case 'hang-in-body':
      return sendHalf(http, due);
    case 'drop':
      http.hijack().raw.destroy();
      return;
    case 'break':
      return sendHalf(http, due, () => http.raw.destroy());
    case 'malformed-json':
      return send(200, due.type, firstHalf(due.text));
    case 'html':
      return send(200, 'text/html; charset=utf-8', PAGE);
    case 'empty-object':
      return sendJson(200, {});
    case 'text-plain':
      return send(200, 'text/plain; charset=utf-8', due.json());
    case 'event-stream':
      return send(200, 'text/event-stream', due.events());
    case 'error-in-body':
      return sendJson(200, { error: { message: fault.message, code: fault.code } });
    case 'insufficient-quota':
      return fail(named('insufficient_quota', 429, 'You exceeded your current quota.'));
    case 'rate-limit':
      http.headers(retryAfter(fault.retryAfter, fault.waitMs));
      return fail(named('rate_limit_exceeded', 429, fault.message));
    case 'key-conflict':
      return fail(keyConflict());
    case 'prompt-filtered':
      return sendJson(400, promptFiltered());
    case 'tool-use-failed':
      return sendJson(400, toolUseFailed(fault.failedGeneration));
    case 'status': {
      const { status, headers, body } = fault;
      http.headers(headers);
      if (body === undefined) {
        const type = status >= 500 ? 'server_error' : 'invalid_request_error';
        return fail(named(type, status, `Scripted status ${status}.`));
      }
      if (typeof body !== 'string') return sendJson(status, body);
      return send(status, headers['content-type'] ?? 'text/plain', body);
    }
  }
}

function named(type: string, status: number, message: string): Problem {
  return invalid(message, { status, type, code: type });
}

function sendHalf(http: FastifyReply, due: Due, sent?: () => void): void {
  const { raw } = http.hijack();
  // The length of the whole: so the client knows that the half is none.
  raw.writeHead(200, { 'content-type': due.type, 'content-length': Buffer.byteLength(due.text) });
  raw.write(firstHalf(due.text), sent);
}

function retryAfter(form: 'ms' | 'seconds' | 'date' | 'none', waitMs: number) {
  const headers: Record<string, string> = {};
  if (form === 'ms') headers['retry-after-ms'] = String(waitMs);
  if (form === 'seconds') headers['retry-after'] = String(waitMs / 1000);
  // An HTTP date has whole seconds: round up, so that the wait is not shorter than asked.
  if (form === 'date') {
    const at = Math.ceil((Date.now() + waitMs) / 1000) * 1000;
    headers['retry-after'] = new Date(at).toUTCString();
  }
  return headers;
}

function firstHalf(text: string): string {
  return text.slice(0, Math.ceil(text.length / 2));
}
