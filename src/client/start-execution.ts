import type { WorkflowStartOptions } from '@temporalio/client';
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { isHashedKey } from '../contract/key.ts';
import { AGENT_RUN, hasFastLane } from '../contract/names.ts';
import type { AgentRunInput, RunMemo } from '../contract/run.ts';
import { DEFAULT_KEY_TTL_MS, FAST_LANE } from '../contract/settings.ts';
import type { CheckedRequest } from './check-request.ts';
import type { ClientContext } from './context.ts';
import { successorRequestId, withRequestId } from './request-id.ts';
import { describeStart } from './static-text.ts';
import type { Successor } from './successor.ts';

/** What makes one attempt to start different from another. */
export interface StartAttempt {
  nonce: string;
  firstSeen: Date;
  /** Absent: the key is thought to be new. */
  successor: Successor | undefined;
}

/** Sends the start; returns the run ID that the server answered, be it of a run merged with. */
export async function startExecution(
  context: ClientContext,
  checked: CheckedRequest,
  attempt: StartAttempt,
): Promise<string> {
  const { run } = checked;
  const { successor } = attempt;
  const start: WorkflowStartOptions = {
    workflowId: run.workflowId,
    taskQueue: context.queues.workflows,
    workflowIdConflictPolicy: 'FAIL',
    workflowIdReusePolicy: successor ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE',
    args: [argumentOf(context, checked, successor)],
    memo: { ...memoOf(context, checked, attempt) },
    ...describeStart(checked),
    ...(hasFastLane(context.queues) && context.registry?.hasFastTools?.(run.agent)
      ? { workflowTaskTimeout: FAST_LANE.workflowTaskTimeoutMs }
      : {}),
    ...(context.searchAttributes ? { typedSearchAttributes: attributesOf(checked) } : {}),
  };
  const handle = await context.temporal.workflow.start(
    AGENT_RUN,
    successor ? withRequestId(start, successorRequestId(successor.predecessor)) : start,
  );
  return handle.firstExecutionRunId;
}

function argumentOf(
  context: ClientContext,
  { run, input, options, limits, settings }: CheckedRequest,
  successor: Successor | undefined,
): AgentRunInput {
  return {
    v: 1,
    tenant: run.tenant,
    agent: run.agent,
    key: run.keyInId,
    ...(input === undefined ? {} : { input }),
    ...(options === undefined ? {} : { options }),
    ...(limits === undefined ? {} : { limits }),
    ...(settings === undefined ? {} : { settings }),
    ...(successor === undefined ? {} : { scope: successor.scope }),
    ...(successor?.retires === undefined ? {} : { retires: successor.retires }),
    ...(successor?.known === undefined ? {} : { known: successor.known }),
    queues: context.queues,
    searchAttributes: context.searchAttributes,
  };
}

function memoOf(
  context: ClientContext,
  { run, fingerprint, options, settings, definition }: CheckedRequest,
  { nonce, firstSeen, successor }: StartAttempt,
): RunMemo {
  const showKey = isHashedKey(run.keyInId) && !context.hashKeys;
  return {
    fingerprint,
    intent: successor?.intent ?? 'new',
    firstSeen: successor?.firstSeen ?? firstSeen.toISOString(),
    nonce,
    ttlMs: settings?.keyTtlMs ?? DEFAULT_KEY_TTL_MS,
    ...(successor === undefined
      ? {}
      : { predecessor: successor.predecessor, scope: successor.scope }),
    ...(successor?.known === undefined ? {} : { known: successor.known }),
    ...(options?.shadow ? { shadow: options.shadow } : {}),
    ...(definition === undefined ? {} : { definition }),
    ...(showKey ? { key: run.key } : {}),
  };
}

function attributesOf({ run }: CheckedRequest): SearchAttributePair[] {
  return [
    { key: defineSearchAttributeKey('AgentName', 'KEYWORD'), value: run.agent },
    { key: defineSearchAttributeKey('AgentTenant', 'KEYWORD'), value: run.tenant },
    { key: defineSearchAttributeKey('AgentStatus', 'KEYWORD'), value: 'running' },
  ];
}
