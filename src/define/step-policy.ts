import {
  FAST_LANE,
  withOverrides,
  type StepPolicy,
  type StepPolicyOverrides,
} from '../contract/settings.ts';
import type { Lane } from '../contract/step.ts';
import { checkFastPolicy, checkPolicy } from './check-policy.ts';

/**
 * The times and retries of a step in its lane.
 *
 * @param where which agent or tool it belongs to
 * @throws {AgentOnceError} `agent.invalid`
 */
export function stepPolicy(
  where: string,
  lane: Lane | undefined,
  defaults: StepPolicy,
  own: StepPolicyOverrides = {},
): StepPolicy {
  const fast = lane === 'fast';
  const base = fast ? { ...defaults, startToCloseMs: FAST_LANE.startToCloseMs } : defaults;
  const policy = withOverrides(base, own);
  checkPolicy(where, policy);
  if (fast) checkFastPolicy(where, policy);
  return policy;
}
