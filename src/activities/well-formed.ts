import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import type { Activity } from './create-activities.ts';
import { activityFailure, failureOf } from './step/failures.ts';

/**
 * The gate of what an activity throws. Its message, stack and type are strings of protobuf, which
 * must be well-formed: with half of a surrogate pair in one of them the worker fails, and so does
 * each one that tries again. Only failures that were made of cut and cleaned messages pass; anything
 * else becomes one. (Results, details, summaries and memos are JSON: there a lone surrogate is
 * written as an escape.)
 */
export function wellFormed(activity: Activity): Activity {
  return async (input) => {
    try {
      return await activity(input);
    } catch (error) {
      throw isWellFormed(error) ? error : activityFailure(failureOf(error, 'step.failed'));
    }
  };
}

function isWellFormed(error: unknown): boolean {
  if (!(error instanceof ApplicationFailure || error instanceof CancelledFailure)) return false;
  const { message, stack = '', cause } = error;
  return cause === undefined && [message, stack].every((text) => text.isWellFormed());
}
