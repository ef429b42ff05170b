import { AgentOnceError } from '../contract/errors.ts';
import { FAST_LANE, type StepPolicy } from '../contract/settings.ts';

/** 24.8 days: what a timer of Node holds. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Checks what more a step of the fast lane needs.
 *
 * @param where which agent and tool it belongs to
 * @throws {AgentOnceError} `agent.invalid`
 */
export function checkFastPolicy(where: string, policy: StepPolicy): void {
  const { startToCloseMs, scheduleToCloseMs } = policy;
  const { longestStartToCloseMs: longest, leaseMarginMs } = FAST_LANE;
  const least = 2 * startToCloseMs + leaseMarginMs;
  const problem =
    startToCloseMs > longest
      ? `startToCloseMs (${startToCloseMs}) must be at most ${longest}. Leave lane out: what takes longer belongs into the standard lane`
      : scheduleToCloseMs < least
        ? `scheduleToCloseMs (${scheduleToCloseMs}) must be at least ${least}: an attempt, a second, and the one that takes over`
        : undefined;
  if (problem !== undefined) {
    throw new AgentOnceError('agent.invalid', `${where}: in the fast lane ${problem}.`);
  }
}

/**
 * Checks the times and retries of a step, defaults included: a policy that does not fit together
 * would show up as steps that are never taken over, or never tried again.
 *
 * @param where which agent or tool it belongs to
 * @throws {AgentOnceError} `agent.invalid`
 */
export function checkPolicy(where: string, policy: StepPolicy): void {
  const { startToCloseMs, scheduleToCloseMs, heartbeatMs, leaseMs, retry } = policy;
  const { initialIntervalMs, maximumIntervalMs, maximumAttempts, backoffCoefficient } = retry;
  const refuse = (problem: string): AgentOnceError =>
    new AgentOnceError('agent.invalid', `${where}: ${problem}.`);

  const whole = {
    startToCloseMs,
    scheduleToCloseMs,
    heartbeatMs,
    leaseMs,
    'retry.initialIntervalMs': initialIntervalMs,
    'retry.maximumIntervalMs': maximumIntervalMs,
    'retry.maximumAttempts': maximumAttempts,
  };
  for (const [name, value] of Object.entries(whole)) {
    // A longer timer fires at once.
    if (!Number.isSafeInteger(value) || value <= 0 || value > LONGEST_MS) {
      throw refuse(`${name} must be a whole number from 1 to ${LONGEST_MS}`);
    }
  }
  if (!Number.isFinite(backoffCoefficient) || backoffCoefficient < 1) {
    throw refuse('retry.backoffCoefficient must be a number from 1');
  }
  if (initialIntervalMs > maximumIntervalMs) {
    throw refuse(
      `retry.initialIntervalMs (${initialIntervalMs}) must be at most retry.maximumIntervalMs (${maximumIntervalMs})`,
    );
  }
  if (startToCloseMs > scheduleToCloseMs) {
    throw refuse(
      `startToCloseMs (${startToCloseMs}) must be at most scheduleToCloseMs (${scheduleToCloseMs}), which bounds all attempts together`,
    );
  }
  if (leaseMs > heartbeatMs) {
    throw refuse(
      `leaseMs (${leaseMs}) must be at most heartbeatMs (${heartbeatMs}); a longer claim would make the next worker wait for it`,
    );
  }
  if (heartbeatMs > scheduleToCloseMs / 3) {
    throw refuse(
      `heartbeatMs (${heartbeatMs}) must be at most a third of scheduleToCloseMs (${scheduleToCloseMs}); otherwise no time is left to take over from a worker that died`,
    );
  }
}
