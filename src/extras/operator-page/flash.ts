import type { FastifyReply, FastifyRequest } from 'fastify';
import { DECISION_WORDS } from '../../contract/decision-words.ts';
import type { Decision } from '../../contract/decision.ts';
import { ROOT } from './paths.ts';

/** Holds what the next page says once: a link of somebody else's cannot say it. */
const COOKIE = 'agent_once_done';
/** For a next page that is never shown. */
const LONGEST_S = 60;

export function remember(reply: FastifyReply, decision: Decision): void {
  void reply.setCookie(COOKIE, decision, {
    path: ROOT,
    httpOnly: true,
    sameSite: 'strict',
    maxAge: LONGEST_S,
  });
}

/** What was decided on the page before, in words; said once. */
export function recall({ cookies }: FastifyRequest, reply: FastifyReply): string | undefined {
  const words = Object.entries(DECISION_WORDS).find(([decision]) => decision === cookies[COOKIE]);
  if (!words) return undefined;
  void reply.clearCookie(COOKIE, { path: ROOT });
  return `Recorded: ${words[1].said}.`;
}
