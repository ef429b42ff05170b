import { userInfo } from 'node:os';
import '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { readOrigin } from '../../env.ts';
import type { Caller, Scope } from '../service/api-keys/port.ts';
import { ROOT } from './paths.ts';

/**
 * The session is the API key itself, in a cookie that no script can read: any process of the service
 * knows it, and a key that is revoked is signed out within a second.
 */
const COOKIE = 'agent_once_key';
/** Over TLS: with this prefix a browser takes it from no other host, such as a sibling subdomain. */
const COOKIE_OF_HOST = `__Host-${COOKIE}`;
/** Of a name in a decision, which has 200 characters at most. */
const LONGEST_NAME = 150;

/** Whether people reach the page over TLS, at the service itself or at a proxy before it. */
function isSecure({ protocol }: FastifyRequest): boolean {
  return protocol === 'https' || readOrigin('AGENT_ONCE_PUBLIC_URL')?.startsWith('https:') === true;
}

/** Read from the header: who asks is found out before the plugin reads cookies. */
export function keyOf(request: FastifyRequest): string | undefined {
  const cookies = request.server.parseCookie(request.headers.cookie ?? '');
  return cookies[isSecure(request) ? COOKIE_OF_HOST : COOKIE];
}

/** What a route of the page needs. */
export function access(scope: Scope): { scope: Scope; keyOf: typeof keyOf } {
  return { scope, keyOf };
}

/** Until the browser is closed. */
export function signIn(reply: FastifyReply, key: string): void {
  const isOfHost = isSecure(reply.request);
  void reply.setCookie(isOfHost ? COOKIE_OF_HOST : COOKIE, key, {
    // The prefix demands it.
    path: isOfHost ? '/' : ROOT,
    httpOnly: true,
    // A link in a mail or a chat must lead to the page; a form of another site must not.
    sameSite: 'lax',
    secure: isOfHost,
  });
}

export function signOut(reply: FastifyReply): void {
  if (isSecure(reply.request)) void reply.clearCookie(COOKIE_OF_HOST, { path: '/', secure: true });
  else void reply.clearCookie(COOKIE, { path: ROOT });
}

/** Who decides: the name that the operator gave the key, and which key it was. */
export function nameOf({ name, keyPrefix }: Caller): string {
  if (keyPrefix === 'open') return userOfMachine();
  return name === '' ? keyPrefix : `${name.slice(0, LONGEST_NAME)} (${keyPrefix})`;
}

export function may({ scopes }: Caller, scope: Scope): boolean {
  return scopes.has(scope) || scopes.has('admin');
}

/** Without API keys, whoever uses the page sits at this machine. */
function userOfMachine(): string {
  try {
    return userInfo().username;
  } catch {
    // As in a container whose user has no name.
    return 'somebody on this machine';
  }
}
