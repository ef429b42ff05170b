import type { ServerResponse } from 'node:http';
import type { TransportFault } from './fault.ts';

/** What would have been sent: a JSON document or server-sent events. */
export interface DueBody {
  type: string;
  text: string;
}

/** Plays a fault of the wire on a response that nothing was written to. */
export function playFault(response: ServerResponse, fault: TransportFault, due: DueBody): void {
  switch (fault.kind) {
    case 'hang':
      // The response stays open until the client goes or the server stops.
      return;
    case 'hang-in-body':
      sendHalf(response, due);
      return;
    case 'drop':
      response.destroy();
      return;
    case 'break':
      sendHalf(response, due, () => response.destroy());
      return;
    case 'malformed-json':
      sendText(response, 200, firstHalf(due.text), { 'content-type': due.type });
      return;
    case 'html':
      sendText(response, 200, '<!doctype html><title>Welcome</title><h1>It works!</h1>\n', {
        'content-type': 'text/html; charset=utf-8',
      });
      return;
    case 'empty-object':
      sendText(response, 200, '{}', { 'content-type': 'application/json' });
      return;
    case 'insufficient-quota':
      sendError(response, 429, 'insufficient_quota', 'You exceeded your current quota.');
      return;
    case 'rate-limit':
      sendError(
        response,
        429,
        'rate_limit_exceeded',
        'Rate limit reached.',
        retryAfter(fault.retryAfter, fault.waitMs),
      );
      return;
    case 'status':
      if (fault.body === undefined) {
        const code = fault.status >= 500 ? 'server_error' : 'invalid_request_error';
        sendError(response, fault.status, code, `Scripted status ${fault.status}.`, fault.headers);
      } else {
        const text = typeof fault.body === 'string' ? fault.body : JSON.stringify(fault.body);
        const type = typeof fault.body === 'string' ? 'text/plain' : 'application/json';
        sendText(response, fault.status, text, { 'content-type': type, ...fault.headers });
      }
  }
}

/** An error in OpenAI's form. */
export function sendError(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): void {
  const body = JSON.stringify({ error: { message, type: code, param: null, code } });
  sendText(response, status, body, { 'content-type': 'application/json', ...headers });
}

export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string>,
): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function sendHalf(response: ServerResponse, due: DueBody, sent?: () => void): void {
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
