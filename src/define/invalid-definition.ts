import { AgentOnceError } from '../contract/errors.ts';

/** @param where which agent and tool: `Agent 'support', tool 'refund'` */
export function invalidDefinition(where: string, problem: string): AgentOnceError {
  return new AgentOnceError('agent.invalid', `${where}: ${problem}.`);
}

export function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}

/** A member that may be left out and otherwise is of this type. */
export function isOptional(value: unknown, type: 'boolean' | 'function'): boolean {
  return value === undefined || typeof value === type;
}

/** What Temporal and the ledger remember by default. */
const DAY_SECONDS = 24 * 60 * 60;

/** Seconds for which an answer is kept for others: at most a day. */
export function isWindow(seconds: unknown): boolean {
  return typeof seconds === 'number' && seconds > 0 && seconds <= DAY_SECONDS;
}
