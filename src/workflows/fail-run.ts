import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  TimeoutFailure,
} from '@temporalio/workflow';
import { isElsewhere, isErrorCode, type ErrorCode } from '../contract/errors.ts';
import type { RunFailureDetails } from '../contract/run.ts';
import type { StepFailureDetails, StepUsage } from '../contract/step.ts';

/**
 * The failure that ends a run: `type` is one of our codes, the message is for people, the first
 * detail says what the run used. Never retried: a run that failed is resumed or started anew.
 */
export function failRun(error: unknown, details: RunFailureDetails): ApplicationFailure {
  const { code, message } = explain(error);
  return ApplicationFailure.create({
    type: code,
    // A string of protobuf: half of a surrogate pair in it would end the worker.
    message: message.toWellFormed(),
    nonRetryable: true,
    details: [details],
  });
}

function explain(error: unknown): { code: ErrorCode; message: string } {
  const cause = causeOf(error);
  if (cause instanceof TimeoutFailure) {
    const step = error instanceof ActivityFailure ? `The step ${error.activityType}` : 'A step';
    return {
      code: 'step.timed_out',
      message:
        `${step} was not done in its time (${cause.timeoutType}). What it may have ` +
        `done is in the ledger. Check that a worker is running and that what it calls answers.`,
    };
  }
  if (error instanceof ActivityFailure && cause instanceof ApplicationFailure) {
    return { code: codeOf(cause, 'step.failed'), message: cause.message };
  }
  if (error instanceof ApplicationFailure) {
    return { code: codeOf(error, 'run.failed'), message: error.message };
  }
  return { code: 'run.failed', message: error instanceof Error ? error.message : String(error) };
}

/** What a step failed with. A local activity's failure may come bare when its history is replayed. */
export function causeOf(error: unknown): unknown {
  return error instanceof ActivityFailure ? error.cause : error;
}

/** Whether a step of the fast lane failed since its worker lacks what another one may have. */
export function isLackedHere(error: unknown): boolean {
  const cause = causeOf(error);
  return cause instanceof ApplicationFailure && isElsewhere(cause.type);
}

/** What a step used that failed all the same: a model's unusable answers are paid for. */
export function spentBy(error: unknown): StepUsage | undefined {
  return detailsOf(error).usage;
}

/** The fence of an attempt that may have had its effect, though its step failed. */
export function fenceOf(error: unknown): string | undefined {
  const found = causeOf(error);
  const beat =
    found instanceof TimeoutFailure ? (found.lastHeartbeatDetails as unknown) : undefined;
  // An attempt that went silent has said it by its heartbeat.
  return (beat as StepFailureDetails | null | undefined)?.fence ?? detailsOf(error).fence;
}

function detailsOf(error: unknown): StepFailureDetails {
  const found = causeOf(error);
  // A time-out has the last attempt's failure as its cause.
  const cause = found instanceof TimeoutFailure ? found.cause : found;
  if (!(cause instanceof ApplicationFailure || cause instanceof CancelledFailure)) return {};
  const [details] = (cause.details ?? []) as [StepFailureDetails?];
  return details ?? {};
}

function codeOf({ type }: ApplicationFailure, unknown: ErrorCode): ErrorCode {
  return isErrorCode(type) ? type : unknown;
}
