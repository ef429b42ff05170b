import type { ServerResponse } from 'node:http';

/** A response that was sent whole. */
export interface Sent {
  status: number;
  headers: Record<string, string>;
  text: string;
}

export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string>,
): Sent {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
  response.end(text);
  return { status, headers, text };
}
