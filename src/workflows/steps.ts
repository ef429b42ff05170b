import {
  ActivityCancellationType,
  proxyActivities,
  proxyLocalActivities,
  type ActivityOptions,
  type EventGroupMarker,
  type RetryPolicy,
} from '@temporalio/workflow';
import type { CleanLedgerInput, CleanLedgerResult } from '../contract/cleanup.ts';
import type { DecisionResult, RecordDecisionInput } from '../contract/decision.ts';
import {
  CALL_MODEL,
  CLEAN_LEDGER,
  PASS_ON_CANCELLATION,
  RECORD_DECISION,
  RECORD_EDITED_APPROVAL,
  toolActivity,
} from '../contract/names.ts';
import {
  FAST_LANE,
  IMPLIED_MODEL_POLICY,
  IMPLIED_TOOL_POLICY,
  wholePolicy,
  type StepPolicy,
} from '../contract/settings.ts';
import type {
  ModelStepInput,
  ModelStepResult,
  PassOnCancellationInput,
  ToolStepInput,
  ToolStepResult,
} from '../contract/step.ts';

type Activities = Record<string, (input: unknown) => Promise<unknown>>;

/** Runs a model step on its task queue and waits for the answer. */
export function callModel(
  taskQueue: string,
  summary: string,
  input: ModelStepInput,
  group: EventGroupMarker,
): Promise<ModelStepResult> {
  return run(CALL_MODEL, input, stepOptions(taskQueue, summary, policyOf(input), group));
}

function policyOf({ settings }: ModelStepInput): StepPolicy {
  return wholePolicy(IMPLIED_MODEL_POLICY, settings?.modelPolicy);
}

function toolPolicyOf({ policy }: ToolStepInput): StepPolicy {
  return wholePolicy(IMPLIED_TOOL_POLICY, policy);
}

/** Runs a tool step on its task queue, under the tool's own activity type. */
export function callTool(
  taskQueue: string,
  summary: string,
  input: ToolStepInput,
  group: EventGroupMarker,
): Promise<ToolStepResult> {
  const options = stepOptions(taskQueue, summary, toolPolicyOf(input), group);
  return run(toolActivity(input.tool), input, options);
}

/**
 * Runs a short tool step as a part of the workflow task, on this worker: a local activity. If the
 * worker dies before that task is over, Temporal does not know of it; the ledger does.
 */
export function callFastTool(summary: string, input: ToolStepInput): Promise<ToolStepResult> {
  return runLocally(toolActivity(input.tool), input, summary, toolPolicyOf(input));
}

/** The same of a model step whose model is quick. */
export function callFastModel(summary: string, input: ModelStepInput): Promise<ModelStepResult> {
  return runLocally(CALL_MODEL, input, summary, policyOf(input));
}

function runLocally<Result>(
  name: string,
  input: unknown,
  summary: string,
  policy: StepPolicy,
): Promise<Result> {
  const activities = proxyLocalActivities<Activities>({
    summary,
    startToCloseTimeout: policy.startToCloseMs + FAST_LANE.deafMs,
    scheduleToCloseTimeout: policy.scheduleToCloseMs,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    // Until then the workflow task is kept open, which costs an event each time.
    localRetryThreshold: FAST_LANE.localRetryMs,
    retry: retryOf(policy),
  });
  return named(activities, name, input);
}

/** Has a person's answer written into the ledger, however long that is away. */
export function recordDecision(
  taskQueue: string,
  input: RecordDecisionInput,
): Promise<DecisionResult> {
  const edits = input.answer.arguments !== undefined;
  return run(edits ? RECORD_EDITED_APPROVAL : RECORD_DECISION, input, {
    taskQueue,
    summary: `${input.answer.step} · ${input.answer.decision}`,
    startToCloseTimeout: 30_000,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    // No scheduleToClose: an answer must not be lost, and the run not fail, because the ledger or
    // the workers are away for long.
    retry: { initialInterval: 500, maximumInterval: 15_000 },
  });
}

/** Lets the workers at work for a run hear that it was cancelled. */
export function passOnCancellation(
  taskQueue: string,
  input: PassOnCancellationInput,
): Promise<void> {
  return run(PASS_ON_CANCELLATION, input, {
    taskQueue,
    startToCloseTimeout: 10_000,
    // By then their next heartbeats have brought it.
    scheduleToCloseTimeout: 60_000,
    cancellationType: ActivityCancellationType.ABANDON,
    retry: { initialInterval: 500 },
  });
}

/** Cleans one batch of the ledger. */
export function cleanLedger(
  taskQueue: string,
  input: CleanLedgerInput,
): Promise<CleanLedgerResult> {
  return run(CLEAN_LEDGER, input, {
    taskQueue,
    startToCloseTimeout: '10 minutes',
    // Then it fails, and the next one takes up what is left.
    scheduleToCloseTimeout: '6 hours',
    heartbeatTimeout: '20 seconds',
    retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
  });
}

function stepOptions(
  taskQueue: string,
  summary: string,
  policy: StepPolicy,
  group: EventGroupMarker,
): ActivityOptions {
  return {
    taskQueue,
    summary,
    eventGroups: [group],
    startToCloseTimeout: policy.startToCloseMs,
    scheduleToCloseTimeout: policy.scheduleToCloseMs,
    heartbeatTimeout: policy.heartbeatMs,
    // The SDK's default reports a cancelled step before its outcome is known.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: retryOf(policy),
  };
}

/**
 * No maximumAttempts: waiting for another attempt's lease would use them up. The ledger counts what
 * was executed, and `scheduleToClose` bounds the rest.
 */
function retryOf({ retry }: StepPolicy): RetryPolicy {
  return {
    initialInterval: retry.initialIntervalMs,
    backoffCoefficient: retry.backoffCoefficient,
    maximumInterval: retry.maximumIntervalMs,
  };
}

function run<Result>(name: string, input: unknown, options: ActivityOptions): Promise<Result> {
  return named(proxyActivities<Activities>(options), name, input);
}

/** A proxy answers every name with a function; the check is for the compiler. */
function named<Result>(activities: Activities, name: string, input: unknown): Promise<Result> {
  const activity = activities[name];
  if (!activity) throw new Error(`No activity ${name}`);
  return activity(input) as Promise<Result>;
}
