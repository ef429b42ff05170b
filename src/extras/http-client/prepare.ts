import { InvalidRequestError } from './http-error.ts';
import type { HttpClientOptions } from './types.ts';

/** One call of the service. */
export interface Call {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  /** The idempotency key. */
  key?: string;
  /** Sent as JSON. */
  body?: unknown;
  /** Seconds that the service was asked to wait with its answer. */
  waitSeconds?: number;
  signal?: AbortSignal | undefined;
}

/** What each try of a call sends. */
export interface Prepared {
  url: URL;
  method: string;
  headers: Headers;
  body?: string;
}

const KEY = /^[\x20-\x7e]{1,255}$/;

/**
 * Puts a call into bytes, once for all its tries.
 *
 * @throws {InvalidRequestError} that cannot be; neither the key nor the body is repeated
 */
export function prepare({ baseUrl, apiKey }: HttpClientOptions, call: Call): Prepared {
  const { method, path, key, body } = call;
  if (key !== undefined && !KEY.test(key)) {
    throw new InvalidRequestError(
      'The key is not 1 to 255 printable ASCII characters, such as a UUID. Nothing was sent.',
    );
  }
  return {
    url: new URL(path, parseBaseUrl(baseUrl)),
    method,
    headers: headersOf({
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      ...(key === undefined ? {} : { 'idempotency-key': quote(key) }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...call.headers,
    }),
    ...(body === undefined ? {} : { body: stringify(body) }),
  };
}

/** @throws {InvalidRequestError} it is no address of a service */
export function parseBaseUrl(baseUrl: string): URL {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  const { protocol = '', username, password, pathname, search } = url ?? {};
  const isOrigin = !username && !password && pathname === '/' && !search;
  if (url && isOrigin && (protocol === 'http:' || protocol === 'https:')) return url;
  throw new InvalidRequestError(
    'baseUrl is not the address of a service: http:// or https://, a host and a port, and nothing more, such as https://agents.example.com.',
  );
}

function headersOf(headers: Record<string, string>): Headers {
  try {
    return new Headers(headers);
  } catch {
    // What was thrown repeats the header, which may be the API key.
    throw new InvalidRequestError(
      'The API key, or the ID of the last event, has a character that a header cannot hold. Nothing was sent.',
    );
  }
}

function stringify(body: unknown): string {
  try {
    return JSON.stringify(body);
  } catch (cause) {
    throw new InvalidRequestError(
      'The request is not JSON: its input refers to itself, or has a value such as a BigInt. Nothing was sent.',
      { cause },
    );
  }
}

/** A key as a structured field string (RFC 9651 section 4.1.6). */
function quote(key: string): string {
  return `"${key.replaceAll(/["\\]/g, '\\$&')}"`;
}
