import { expect, test } from '@jest/globals';
import {
  DEFAULT_MODEL_POLICY,
  DEFAULT_TOOL_POLICY,
  leftOut,
  withOverrides,
  type StepPolicyOverrides,
} from '../../src/contract/settings.ts';

test('a policy is written without what it has of the defaults, and is read as it was', () => {
  expect(leftOut(DEFAULT_TOOL_POLICY, DEFAULT_TOOL_POLICY)).toEqual({});
  const changes: StepPolicyOverrides = { leaseMs: 3_000, retry: { maximumAttempts: 1 } };
  const policy = withOverrides(DEFAULT_TOOL_POLICY, changes);
  expect(leftOut(DEFAULT_TOOL_POLICY, policy)).toEqual(changes);
  // As earlier versions wrote it.
  expect(withOverrides(DEFAULT_TOOL_POLICY, policy)).toEqual(policy);
});

test('what recorded turns and histories leave out does not change', () => {
  const retry = { initialIntervalMs: 500, backoffCoefficient: 2 };
  const recovery = { heartbeatMs: 5_000, leaseMs: 4_000 };
  expect(DEFAULT_MODEL_POLICY).toEqual({
    startToCloseMs: 300_000,
    scheduleToCloseMs: 1_800_000,
    ...recovery,
    retry: { ...retry, maximumIntervalMs: 30_000, maximumAttempts: 8 },
  });
  expect(DEFAULT_TOOL_POLICY).toEqual({
    startToCloseMs: 60_000,
    scheduleToCloseMs: 600_000,
    ...recovery,
    retry: { ...retry, maximumIntervalMs: 15_000, maximumAttempts: 5 },
  });
});
