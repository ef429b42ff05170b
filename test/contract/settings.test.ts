import { expect, test } from '@jest/globals';
import {
  IMPLIED_MODEL_POLICY,
  IMPLIED_TOOL_POLICY,
  leftOut,
  wholePolicy,
  type StepPolicyOverrides,
} from '../../src/contract/settings.ts';

test('a policy is written without what is implied, and is read as it was', () => {
  expect(leftOut(IMPLIED_TOOL_POLICY, IMPLIED_TOOL_POLICY)).toEqual({});
  const changes: StepPolicyOverrides = { leaseMs: 3_000, retry: { maximumAttempts: 1 } };
  const policy = wholePolicy(IMPLIED_TOOL_POLICY, changes);
  expect(leftOut(IMPLIED_TOOL_POLICY, policy)).toEqual(changes);
  // As earlier versions wrote it.
  expect(wholePolicy(IMPLIED_TOOL_POLICY, policy)).toEqual(policy);
});

test('what recorded turns and histories leave out does not change', () => {
  const retry = { initialIntervalMs: 500, backoffCoefficient: 2 };
  const recovery = { heartbeatMs: 60_000, leaseMs: 4_000 };
  expect(IMPLIED_MODEL_POLICY).toEqual({
    startToCloseMs: 300_000,
    scheduleToCloseMs: 1_800_000,
    ...recovery,
    retry: { ...retry, maximumIntervalMs: 30_000, maximumAttempts: 8 },
  });
  expect(IMPLIED_TOOL_POLICY).toEqual({
    startToCloseMs: 60_000,
    scheduleToCloseMs: 600_000,
    ...recovery,
    retry: { ...retry, maximumIntervalMs: 15_000, maximumAttempts: 5 },
  });
});
