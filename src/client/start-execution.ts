import type { WorkflowStartOptions } from '@temporalio/client';
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { defined } from '../contract/defined.ts';
import { isHashedKey, DEFAULT_TENANT } from '../contract/key.ts';
import { AGENT_RUN, hasFastLane } from '../contract/names.ts';
import type { AgentRunInput, RunMemo } from '../contract/run.ts';
import { DEFAULT_KEY_TTL_MS, FAST_LANE } from '../contract/settings.ts';
import type { CheckedRequest } from './check-request.ts';
import type { ClientContext } from './context.ts';
import { successorRequestId, withRequestId } from './request-id.ts';
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
    ...textsOf(checked),
    // Steps inherit both. Where the server shares its queues fairly, tenants of a priority take turns.
    priority: defined({
      priorityKey: checked.limits?.priority ?? checked.settings?.priority,
      fairnessKey: run.tenant === DEFAULT_TENANT ? undefined : run.tenant,
    }),
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
  { queues, searchAttributes }: ClientContext,
  { run, input, options, limits, settings }: CheckedRequest,
  { scope, retires, known }: Partial<Successor> = {},
): AgentRunInput {
  const { tenant, agent, keyInId: key } = run;
  const given = defined({ input, options, limits, settings, scope, retires, known });
  return { v: 1, tenant, agent, key, ...given, queues, searchAttributes };
}

function memoOf(
  context: ClientContext,
  { run, fingerprint, options, settings, definition }: CheckedRequest,
  { nonce, firstSeen, successor }: StartAttempt,
): RunMemo {
  const showKey = isHashedKey(run.keyInId) && !context.hashKeys;
  const { intent = 'new', predecessor, scope, known }: Partial<Successor> = successor ?? {};
  return {
    fingerprint,
    intent,
    firstSeen: successor?.firstSeen ?? firstSeen.toISOString(),
    nonce,
    ttlMs: settings?.keyTtlMs ?? DEFAULT_KEY_TTL_MS,
    ...defined({ predecessor, scope, known, definition }),
    ...(options?.shadow ? { shadow: true } : {}),
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

/** Temporal UI draws tables without any space between the columns, and drops ordinary blanks. */
const GAP = '\u00a0\u00a0\u00a0';

/**
 * What Temporal UI shows of a run from its start on. Neither text holds the input, nor a key of
 * which the workflow ID has only the hash.
 */
function textsOf({ run, settings, options, limits }: CheckedRequest) {
  const key = isHashedKey(run.keyInId) ? undefined : run.keyInId;
  const rows = defined({
    agent: run.agent,
    tenant: run.tenant,
    key: key ?? 'not shown',
    model: limits?.model ?? settings?.model ?? options?.model,
    'reasoning effort': limits?.reasoningEffort,
    'output tokens at most': limits?.maxOutputTokens,
    shadow: options?.shadow && 'yes: effects are recorded, not executed',
    'turns at most': settings?.maxTurns,
    priority: limits?.priority ?? settings?.priority,
  });
  return {
    staticSummary: key === undefined ? run.agent : `${run.agent} ${key}`,
    staticDetails: [
      '| | |',
      '| --- | --- |',
      ...Object.entries(rows).map(([name, value]) => `| ${name}${GAP} | \`${value}\` |`),
      '',
      'A start with the same key and input returns this run and starts no other.',
    ].join('\n'),
  };
}
