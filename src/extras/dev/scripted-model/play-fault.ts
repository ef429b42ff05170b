import type { ServerResponse } from 'node:http';
import { keyConflict, promptFiltered, toolUseFailed } from './fault-bodies.ts';
import type { TransportFault } from './fault.ts';
import type { Problem } from './problem.ts';
import { invalid } from './problem.ts';
import type { Sent } from './send.ts';
import { sendText } from './send.ts';

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

/**
 * Plays a fault of the wire on a response that nothing was written to.
 *
 * @returns what was sent whole; `undefined`: nothing was
 */
export function playFault(
  response: ServerResponse,
  fault: TransportFault,
  due: Due,
): Sent | undefined {
  const fail = (problem: Problem, headers: Record<string, string> = {}) =>
    sendJson(response, problem.status, due.errorBody(problem), headers);
  switch (fault.kind) {
    case 'hang':
      // The response stays open until the client goes or the server stops.
      return undefined;
    case 'hang-in-body':
      sendHalf(response, due);
      return undefined;
    case 'drop':
      response.destroy();
      return undefined;
    case 'break':
      sendHalf(response, due, () => response.destroy());
      return undefined;
    case 'malformed-json':
      return sendText(response, 200, firstHalf(due.text), { 'content-type': due.type });
    case 'html':
      return sendText(response, 200, '<!doctype html><title>Welcome</title><h1>It works!</h1>\n', {
        'content-type': 'text/html; charset=utf-8',
      });
    case 'empty-object':
      return sendJson(response, 200, {});
    case 'text-plain':
      return sendText(response, 200, due.json(), { 'content-type': 'text/plain; charset=utf-8' });
    case 'event-stream':
      return sendText(response, 200, due.events(), { 'content-type': 'text/event-stream' });
    case 'error-in-body':
      return sendJson(response, 200, { error: { message: fault.message, code: fault.code } });
    case 'insufficient-quota':
      return fail(named('insufficient_quota', 429, 'You exceeded your current quota.'));
    case 'rate-limit':
      return fail(
        named('rate_limit_exceeded', 429, fault.message),
        retryAfter(fault.retryAfter, fault.waitMs),
      );
    case 'key-conflict':
      return fail(keyConflict());
    case 'prompt-filtered':
      return sendJson(response, 400, promptFiltered());
    case 'tool-use-failed':
      return sendJson(response, 400, toolUseFailed(fault.failedGeneration));
    case 'status': {
      const { status, headers, body } = fault;
      if (body === undefined) {
        const type = status >= 500 ? 'server_error' : 'invalid_request_error';
        return fail(named(type, status, `Scripted status ${status}.`), headers);
      }
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const type = typeof body === 'string' ? 'text/plain' : 'application/json';
      return sendText(response, status, text, { 'content-type': type, ...headers });
    }
  }
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Sent {
  return sendText(response, status, JSON.stringify(body), {
    'content-type': 'application/json',
    ...headers,
  });
}

function named(type: string, status: number, message: string): Problem {
  return invalid(message, { status, type, code: type });
}

function sendHalf(response: ServerResponse, due: Due, sent?: () => void): void {
  // The length of the whole: so the client knows that the half is none.
  response.writeHead(200, {
    'content-type': due.type,
    'content-length': Buffer.byteLength(due.text),
  });
  response.write(firstHalf(due.text), sent);
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
