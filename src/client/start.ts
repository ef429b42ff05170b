import { randomUUID } from 'node:crypto';
import {
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { AgentOnceError } from '../contract/errors.ts';
import { isHashedKey } from '../contract/key.ts';
import { AGENT_RUN } from '../contract/names.ts';
import { NO_USAGE, type AgentRunInput, type RunMemo } from '../contract/run.ts';
import { checkRequest, type CheckedRequest } from './check-request.ts';
import { request as send, type ClientContext } from './context.ts';
import { findExecution } from './describe.ts';
import { conflict, judge } from './found.ts';
import { readOutcome } from './outcome.ts';
import { describeStart } from './static-text.ts';
import { asAgentOnceError, isUnreachable } from './temporal-errors.ts';
import type { StartedRun, StartRequest } from './types.ts';
import { viewOf } from './view.ts';

/** Whoever was first may be deleted before we look: then the ID is free again. */
const ATTEMPTS = 3;

/**
 * Starts a run, or returns the one that the key already names. A new key costs one request to
 * Temporal, a known one two or three.
 *
 * @throws {AgentOnceError} of `checkRequest`, before anything is sent; `key.conflict`; `temporal.…`
 */
export async function startRun(context: ClientContext, request: StartRequest): Promise<StartedRun> {
  const checked = checkRequest(context, request);
  const nonce = randomUUID();
  for (let attempt = 1; ; attempt++) {
    const firstSeen = new Date();
    let problem: unknown;
    try {
      const runId = await send(context, () => startExecution(context, checked, nonce, firstSeen));
      return newRun(checked, runId, firstSeen);
    } catch (error) {
      const taken = error instanceof WorkflowExecutionAlreadyStartedError;
      // Anything that is not a lost answer is the server's refusal: nothing was started.
      if (!taken && !isUnreachable(error)) throw asAgentOnceError(error, context.temporal);
      problem = error;
    }
    const found = await lookAfter(context, checked, problem);
    if (found) return await answerWith(context, checked, found, nonce);
    if (attempt === ATTEMPTS) throw uncertain(context, checked, problem);
  }
}

async function startExecution(
  context: ClientContext,
  checked: CheckedRequest,
  nonce: string,
  firstSeen: Date,
): Promise<string> {
  const { run, input, options, settings, fingerprint } = checked;
  const argument: AgentRunInput = {
    v: 1,
    tenant: run.tenant,
    agent: run.agent,
    key: run.keyInId,
    ...(input === undefined ? {} : { input }),
    ...(options === undefined ? {} : { options }),
    ...(settings === undefined ? {} : { settings }),
    queues: context.queues,
    searchAttributes: context.searchAttributes,
  };
  const memo: RunMemo = {
    fingerprint,
    intent: 'new',
    firstSeen: firstSeen.toISOString(),
    nonce,
    ...(isHashedKey(run.keyInId) && !context.hashKeys ? { key: run.key } : {}),
  };
  const start: WorkflowStartOptions = {
    workflowId: run.workflowId,
    taskQueue: context.queues.workflows,
    workflowIdConflictPolicy: 'FAIL',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    args: [argument],
    memo: { ...memo },
    ...describeStart(checked),
    ...(context.searchAttributes ? { typedSearchAttributes: attributesOf(checked) } : {}),
  };
  const handle = await context.temporal.workflow.start(AGENT_RUN, start);
  return handle.firstExecutionRunId;
}

function attributesOf({ run }: CheckedRequest): SearchAttributePair[] {
  return [
    { key: defineSearchAttributeKey('AgentName', 'KEYWORD'), value: run.agent },
    { key: defineSearchAttributeKey('AgentTenant', 'KEYWORD'), value: run.tenant },
    { key: defineSearchAttributeKey('AgentStatus', 'KEYWORD'), value: 'running' },
  ];
}

/** Looks what is under the ID after a start that was refused, or whose answer was lost. */
async function lookAfter(
  context: ClientContext,
  checked: CheckedRequest,
  problem: unknown,
): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await findExecution(context, checked.run.workflowId);
  } catch (error) {
    if (error instanceof AgentOnceError && error.code !== 'temporal.unreachable') throw error;
    throw uncertain(context, checked, problem);
  }
}

async function answerWith(
  context: ClientContext,
  checked: CheckedRequest,
  found: WorkflowExecutionDescription,
  nonce: string,
): Promise<StartedRun> {
  const { run, keyGenerated } = checked;
  const verdict = judge(found, checked, nonce);
  switch (verdict) {
    case 'conflict':
      throw conflict(checked);
    case 'attach':
      return { ...viewOf(run, found), replayed: true, keyGenerated };
    case 'replay':
      return { ...(await readOutcome(context, run, found)), replayed: true, keyGenerated };
    case 'mine':
      return { ...viewOf(run, found), replayed: false, keyGenerated };
  }
}

function newRun({ run, keyGenerated }: CheckedRequest, runId: string, at: Date): StartedRun {
  return {
    workflowId: run.workflowId,
    runId,
    agent: run.agent,
    tenant: run.tenant,
    key: run.key,
    status: 'running',
    result: null,
    error: null,
    usage: NO_USAGE,
    startedAt: at.toISOString(),
    closedAt: null,
    replayed: false,
    keyGenerated,
  };
}

/** Nobody knows whether the run exists. The same key finds out, so the message has a made one. */
function uncertain(
  context: ClientContext,
  { run, keyGenerated }: CheckedRequest,
  problem: unknown,
): AgentOnceError {
  const { code, message } = asAgentOnceError(problem, context.temporal);
  const key = keyGenerated ? `the key that was made for it, ${run.key}` : 'the same key';
  return new AgentOnceError(
    code,
    `${message} The run may have started all the same: repeat the request with ${key}, which starts it at most once.`,
    { cause: problem },
  );
}
