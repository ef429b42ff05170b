import { defined } from '../contract/defined.ts';
import { AgentOnceError } from '../contract/errors.ts';
import type { AgentRunInput } from '../contract/run.ts';
import type { ClientContext, RunIdentity } from './context.ts';
import { getExecution } from './describe.ts';
import { readStart, type ReadStart } from './read-start.ts';
import { startRun } from './start.ts';
import type { ResumeOptions, StartedRun } from './types.ts';
import { firstRunIdOf, memoOf } from './view.ts';

/** See `AgentOnceClient.resume`. The request is read from Temporal; the same resume twice is one. */
export async function resumeRun(
  context: ClientContext,
  run: RunIdentity,
  { limits: given }: ResumeOptions = {},
): Promise<StartedRun> {
  const execution = await getExecution(context, run);
  const { workflowId, agent, tenant } = run;
  // The first of a chain that continued as new has the input; the others need it no more.
  const first = firstRunIdOf(execution);
  const own = await readStart(context, workflowId, execution.runId);
  const start = isWhole(own) ? own : await readStart(context, workflowId, first);
  if (!isWhole(start)) {
    throw new AgentOnceError(
      'run.request_unknown',
      'Temporal no longer has the request of this run, so it cannot be resumed without it. Nothing was started, and what is recorded is kept.',
    );
  }
  const { input, options } = start;
  // Where only the ID is known, it may hold the key's hash.
  const { key = run.key } = memoOf(execution);
  const limits = given || start.limits ? { ...start.limits, ...defined(given ?? {}) } : undefined;
  const request = { agent, tenant, key, ...defined({ input, options, limits }) };
  return startRun(context, { ...request, retryFailed: true }, run);
}

function isWhole(start: ReadStart): start is Partial<AgentRunInput> {
  return start?.v === 1 && start.carried === undefined;
}
