import type { WorkflowExecutionDescription } from '@temporalio/client';
import { defined } from '../contract/defined.ts';
import { fingerprintOf } from '../contract/fingerprint.ts';
import { AGENT_RUN } from '../contract/names.ts';
import type { CheckedRequest } from './check-request.ts';
import type { ClientContext } from './context.ts';
import { readStart } from './read-start.ts';
import { memoOf } from './view.ts';

/**
 * The request that an execution was started for, where another one asks for the same with another
 * model: that model is a limit then. `undefined`: what is asked for is another request. Only the
 * fingerprint in the memo says which: it is computed with the first request's options.
 */
export async function asFirstRequest(
  context: ClientContext,
  { options: asked, ...checked }: CheckedRequest,
  found: WorkflowExecutionDescription,
): Promise<CheckedRequest | undefined> {
  if (asked?.model === undefined || found.type !== AGENT_RUN) return undefined;
  const { tenant, agent, workflowId } = checked.run;
  const options = (await readStart(context, workflowId, found.runId))?.options;
  // A shadow run stays one, and no other becomes one.
  if (options?.shadow !== asked.shadow) return undefined;
  const request = { tenant, agent, ...defined({ input: checked.input, options }) };
  const fingerprint = fingerprintOf(request);
  if (fingerprint !== memoOf(found).fingerprint) return undefined;
  const settings = context.registry?.settingsOf(agent, { ...options, model: asked.model });
  const limits = { model: asked.model, ...checked.limits };
  return { ...checked, fingerprint, limits, ...defined({ options, settings }) };
}
