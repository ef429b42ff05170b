import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { invalidSetting, readText } from '../../env.ts';

const TOKEN = 'AGENT_ONCE_CODEC_TOKEN';
const SHORTEST = 20;
const COOKIE = 'agent-once-codec';
const THIS_MACHINE = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** Who may use the codec server. */
export interface CodecAccess {
  /** With `Authorization: Bearer TOKEN`, as Temporal's CLI sends it, or with the cookie. */
  allows(headers: IncomingHttpHeaders): boolean;
  /** The `Set-Cookie` for a browser whose user knows the token; `undefined`: it is another one. */
  cookieFor(token: string, host: string): string | undefined;
}

/** @throws {AgentOnceError} `config.invalid`: there is no token that could protect anything */
export function readCodecAccess(): CodecAccess {
  const token = readText(TOKEN);
  if (token === undefined || token.length < SHORTEST) {
    throw invalidSetting(
      TOKEN,
      `is not set, or is shorter than ${SHORTEST} characters: whoever knows it can read what is encrypted. Make one: openssl rand -hex 32`,
    );
  }
  // The cookie does not hold the token itself: a browser's files are read by others.
  const ticket = hash(`cookie of ${token}`).toString('hex');
  return {
    allows({ authorization = '', cookie = '' }) {
      const [, bearer] = /^bearer\s+(\S+)$/i.exec(authorization) ?? [];
      if (bearer !== undefined && same(bearer, token)) return true;
      return cookie.split(/;\s*/).some((each) => same(each, `${COOKIE}=${ticket}`));
    },
    cookieFor(given, host) {
      if (!same(given, token)) return undefined;
      // Other sites send a cookie along only if it is for them too, and that wants https.
      const where = THIS_MACHINE.test(host) ? 'SameSite=Strict' : 'SameSite=None; Secure';
      return `${COOKIE}=${ticket}; HttpOnly; Path=/; ${where}`;
    },
  };
}

/** Takes as long for any two texts. */
function same(a: string, b: string): boolean {
  return timingSafeEqual(hash(a), hash(b));
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
