import type { WorkflowExecutionDescription } from '@temporalio/client';
// Not public, and the only way that decodes as Temporal's client does.
import { decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { ClientContext } from '../../client/context.ts';
import { hasWorker, queryState } from '../../client/live-state.ts';
import type { RunState } from '../../contract/run.ts';
import type { StepError } from '../../ledger/port.ts';
import { toIso, toMs } from '../../client/protobuf-time.ts';

/** An activity that Temporal has under way, or will try again. */
export interface PendingActivity {
  activity: string;
  state: 'scheduled' | 'started' | 'cancelling' | 'paused';
  attempt: number;
  nextAttemptAt: string | null;
  lastError: StepError | null;
  /** Of the latest attempt. */
  startedAt: string | null;
  worker: string | null;
  lastHeartbeatAt: string | null;
  /** After so long without a heartbeat the attempt counts as lost; `null`: not known, or never. */
  heartbeatTimeoutMs: number | null;
}

/** What a running run is doing. */
export interface LiveRun {
  /** Whether a worker polls for the run; a killed one counts for up to a minute. */
  hasWorker: boolean;
  cancelRequested: boolean;
  turn: number | null;
  maxTurns: number | null;
  pending: PendingActivity[];
  /** Attempts of its workflow task, when they fail: a defect of the deployed code. */
  workflowTaskAttempt: number | null;
}

type Pending = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

/** Names of Temporal's `PendingActivityState`, by their numbers. */
const STATES = ['scheduled', 'scheduled', 'started', 'cancelling', 'paused', 'paused'] as const;

/**
 * What an open execution is doing, as far as Temporal and a worker tell, and what it asks; that is
 * `undefined` where no worker answered.
 */
export async function readLive(
  context: ClientContext,
  { workflowId, raw }: WorkflowExecutionDescription,
): Promise<{ live: LiveRun; state: RunState | undefined }> {
  const worker = await hasWorker(context);
  const state = worker ? await queryState(context, workflowId) : undefined;
  const attempt = raw.pendingWorkflowTask?.attempt ?? 0;
  const live = {
    hasWorker: worker,
    cancelRequested: raw.workflowExtendedInfo?.cancelRequested === true,
    turn: state?.turn ?? null,
    maxTurns: state?.maxTurns ?? null,
    pending: await Promise.all(
      (raw.pendingActivities ?? []).map((pending) => readPending(context, pending)),
    ),
    workflowTaskAttempt: attempt > 1 ? attempt : null,
  };
  return { live, state };
}

async function readPending(context: ClientContext, activity: Pending): Promise<PendingActivity> {
  const { activityType, state, attempt, nextAttemptScheduleTime, lastFailure } = activity;
  const heartbeatTimeout = activity.activityOptions?.heartbeatTimeout;
  const code = lastFailure?.applicationFailureInfo?.type;
  return {
    activity: activityType?.name ?? '',
    state: activity.paused === true ? 'paused' : (STATES[state ?? 0] ?? 'scheduled'),
    attempt: attempt ?? 1,
    nextAttemptAt: toIso(nextAttemptScheduleTime),
    lastError: lastFailure
      ? { code: code || 'step.failed', message: await messageOf(context, lastFailure) }
      : null,
    startedAt: toIso(activity.lastStartedTime),
    worker: activity.lastWorkerIdentity || null,
    lastHeartbeatAt: toIso(activity.lastHeartbeatTime),
    heartbeatTimeoutMs: (heartbeatTimeout && toMs(heartbeatTimeout)) || null,
  };
}

/** A codec may have encoded it. */
async function messageOf(
  { temporal }: ClientContext,
  failure: NonNullable<Pending['lastFailure']>,
): Promise<string> {
  const { loadedDataConverter } = temporal.options;
  try {
    const error = await decodeOptionalFailureToOptionalError(loadedDataConverter, failure);
    return error?.message ?? '';
  } catch {
    // By a worker with another key.
    return `${failure.message ?? ''} (this process cannot decode it)`;
  }
}
