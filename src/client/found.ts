import type { WorkflowExecutionDescription } from '@temporalio/client';
import { AgentOnceError } from '../contract/errors.ts';
import { AGENT_RUN } from '../contract/names.ts';
import type { CheckedRequest } from './check-request.ts';
import { isOpen, memoOf } from './view.ts';

/** What a start makes of the execution that it finds under its ID. */
export type Verdict = 'mine' | 'conflict' | 'attach' | 'replay';

/**
 * The table of what is found under a key, read from the top.
 *
 * @param nonce of this very start: an execution that has it was made by it, whatever became of the
 *   server's answer.
 */
export function judge(
  found: WorkflowExecutionDescription,
  request: CheckedRequest,
  nonce: string,
): Verdict {
  const memo = memoOf(found);
  if (memo.nonce === nonce) return 'mine';
  if (found.type !== AGENT_RUN || memo.fingerprint !== request.fingerprint) return 'conflict';
  if (isOpen(found)) return 'attach';
  return 'replay';
}

/** Says nothing of the earlier request: its caller may be somebody else. */
export function conflict(request: CheckedRequest): AgentOnceError {
  return new AgentOnceError(
    'key.conflict',
    `The key is taken: it names a request to agent "${request.run.agent}" with another input or other options. Nothing was started or changed. Send the first request again unchanged to get its run, or use a new key for a new request.`,
  );
}
