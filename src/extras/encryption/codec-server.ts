import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { AgentOnceError } from '../../contract/errors.ts';
import type { CodecAccess } from './codec-access.ts';
import { SIGN_IN_PAGE } from './sign-in-page.ts';

export interface CodecServerOptions {
  codec: PayloadCodec;
  access: CodecAccess;
  /** Of Temporal UI, as its pages' address begins: `https://temporal.example`. */
  origins: readonly string[];
}

/** What Temporal UI sends along. */
const HEADERS = 'authorization, authorization-extras, content-type, x-namespace';
/** A page of a history, with room: no payload of Temporal is over 2 MiB. */
const LARGEST_BODY = 64 * 1024 * 1024;

/** A payload as Temporal's JSON has it: base64. */
interface JsonPayload {
  metadata?: Record<string, string>;
  data?: string;
}

/** It needs nobody: that it answers is its health. */
const HEALTH = ['/livez', '/readyz', '/healthz'];

/**
 * Temporal's codec protocol: `POST /decode` and `/encode`, each with `{"payloads": […]}`. The page at `/`
 * lets a person sign in, whose browser then sends a cookie along.
 */
export function createCodecServer(options: CodecServerOptions): Server {
  return createServer((request, response) => {
    answer(request, response, options).catch((error: unknown) => {
      if (response.headersSent) return response.destroy();
      const known = error instanceof AgentOnceError || error instanceof BadRequest;
      return say(response, error instanceof BadRequest ? 400 : 500, {
        error: known ? error.message : 'The codec server failed.',
      });
    });
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { codec, access, origins }: CodecServerOptions,
): Promise<void> {
  const { origin } = request.headers;
  const { pathname } = new URL(request.url ?? '/', 'http://codec');
  response.setHeader('Cache-Control', 'no-store').setHeader('X-Content-Type-Options', 'nosniff');
  if (pathname === '/' && request.method === 'GET') return showPage(response);
  // The page's own form comes from this server itself.
  if (pathname === '/sign-in' && request.method === 'POST') {
    return signIn(request, response, access);
  }
  if (request.method === 'GET' && HEALTH.includes(pathname))
    return say(response, 200, { healthy: true });
  if (origin !== undefined) {
    if (!origins.includes(origin)) {
      return say(response, 403, { error: 'This origin is not one of --origin.' });
    }
    response.setHeader('Access-Control-Allow-Origin', origin).setHeader('Vary', 'Origin');
    response.setHeader('Access-Control-Allow-Credentials', 'true');
  }
  const does = { '/decode': codec.decode, '/encode': codec.encode }[pathname];
  if (!does) return say(response, 404, { error: 'There are /decode and /encode.' });
  if (request.method === 'OPTIONS') {
    response.setHeader('Access-Control-Allow-Methods', 'POST');
    response.setHeader('Access-Control-Allow-Headers', HEADERS);
    response.setHeader('Access-Control-Max-Age', '600').writeHead(204).end();
    return;
  }
  if (request.method !== 'POST') return say(response, 405, { error: 'It takes POST.' });
  if (!access.allows(request.headers)) {
    return say(response, 401, { error: 'Sign in at / of the codec server, or send its token.' });
  }
  const payloads = readPayloads(await readBody(request));
  // Each by itself: what is encrypted with a key that is gone stays as it is, the rest is shown.
  const done = payloads.map(async (payload) => {
    const [changed = payload] = await does([payload]).catch(() => [payload]);
    return toJson(changed);
  });
  say(response, 200, { payloads: await Promise.all(done) });
}

/** What was sent is not what the protocol has. */
class BadRequest extends Error {}

async function readBody(request: IncomingMessage): Promise<string> {
  // A browser sends other types without asking whether it may.
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new BadRequest('The body must be application/json.');
  }
  if (Number(request.headers['content-length'] ?? Infinity) > LARGEST_BODY) {
    throw new BadRequest('The body has no length, or is over 64 MiB.');
  }
  return text(request);
}

function readPayloads(body: string): Payload[] {
  try {
    const { payloads } = JSON.parse(body) as { payloads: JsonPayload[] };
    return payloads.map(fromJson);
  } catch {
    throw new BadRequest('The body is no {"payloads": […]}.');
  }
}

function fromJson({ metadata = {}, data = '' }: JsonPayload): Payload {
  const names = Object.entries(metadata).map(([name, value]) => [
    name,
    Buffer.from(value, 'base64'),
  ]);
  return { metadata: Object.fromEntries(names), data: Buffer.from(data, 'base64') };
}

function toJson({ metadata, data }: Payload): JsonPayload {
  const names = Object.entries(metadata ?? {}).map(([name, value]) => [
    name,
    Buffer.from(value).toString('base64'),
  ]);
  return { metadata: Object.fromEntries(names), data: Buffer.from(data ?? []).toString('base64') };
}

function showPage(response: ServerResponse, status = 200): void {
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
  response.writeHead(status).end(SIGN_IN_PAGE);
}

async function signIn(
  request: IncomingMessage,
  response: ServerResponse,
  access: CodecAccess,
): Promise<void> {
  const length = Number(request.headers['content-length'] ?? Infinity);
  if (length > 4_096) throw new BadRequest('The form is too large.');
  const token = new URLSearchParams(await text(request)).get('token') ?? '';
  const cookie = access.cookieFor(token, request.headers.host ?? '');
  if (cookie === undefined) return showPage(response, 401);
  response.setHeader('Set-Cookie', cookie);
  response
    .writeHead(200, { 'Content-Type': 'text/plain' })
    .end('Signed in. Go back to Temporal UI and load its page again.\n');
}

function say(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
