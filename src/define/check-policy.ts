import { LONGEST_TIMER_MS } from '../contract/limits.ts';
import { FAST_LANE, type StepPolicy } from '../contract/settings.ts';
import { invalidDefinition } from './invalid-definition.ts';

/**
 * Checks the times and retries of a step, defaults included: a policy that does not fit together
 * would show up as steps that are never taken over, or never tried again.
 *
 * @param where which agent or tool it belongs to
 * @throws {AgentOnceError} `agent.invalid`
 */
export function checkPolicy(where: string, policy: StepPolicy): void {
  const problem = problemOf(policy);
  if (problem !== undefined) throw invalidDefinition(where, problem);
}

/** Checks what more a step of the fast lane needs; otherwise as `checkPolicy`. */
export function checkFastPolicy(where: string, policy: StepPolicy): void {
  const problem = problemInFastLane(policy);
  if (problem !== undefined) throw invalidDefinition(where, `in the fast lane ${problem}`);
}

function problemOf(policy: StepPolicy): string | undefined {
  const { startToCloseMs, scheduleToCloseMs, heartbeatMs, leaseMs, retry } = policy;
  const { initialIntervalMs, maximumIntervalMs, maximumAttempts, backoffCoefficient } = retry;
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
    if (!Number.isSafeInteger(value) || value <= 0 || value > LONGEST_TIMER_MS) {
      return `${name} must be a whole number from 1 to ${LONGEST_TIMER_MS}`;
    }
  }
  if (!Number.isFinite(backoffCoefficient) || backoffCoefficient < 1) {
    return 'retry.backoffCoefficient must be a number from 1';
  }
  if (initialIntervalMs > maximumIntervalMs) {
    return `retry.initialIntervalMs (${initialIntervalMs}) must be at most retry.maximumIntervalMs (${maximumIntervalMs})`;
  }
  if (startToCloseMs > scheduleToCloseMs) {
    return `startToCloseMs (${startToCloseMs}) must be at most scheduleToCloseMs (${scheduleToCloseMs}), which bounds all attempts together`;
  }
  if (leaseMs > heartbeatMs) {
    return `leaseMs (${leaseMs}) must be at most heartbeatMs (${heartbeatMs}); a longer claim would make the next worker wait for it`;
  }
  return heartbeatMs > scheduleToCloseMs / 3
    ? `heartbeatMs (${heartbeatMs}) must be at most a third of scheduleToCloseMs (${scheduleToCloseMs}); otherwise no time is left to take over from a worker that died`
    : undefined;
}

function problemInFastLane({ startToCloseMs, scheduleToCloseMs }: StepPolicy): string | undefined {
  const { longestStartToCloseMs: longest, leaseMarginMs } = FAST_LANE;
  if (startToCloseMs > longest) {
    return `startToCloseMs (${startToCloseMs}) must be at most ${longest}. Leave lane out: what takes longer belongs into the standard lane`;
  }
  const least = 2 * startToCloseMs + leaseMarginMs;
  return scheduleToCloseMs < least
    ? `scheduleToCloseMs (${scheduleToCloseMs}) must be at least ${least}: an attempt, a second, and the one that takes over`
    : undefined;
}
