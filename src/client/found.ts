import type { WorkflowExecutionDescription } from '@temporalio/client';
import { AgentOnceError } from '../contract/errors.ts';
import { AGENT_RUN, FORGOTTEN } from '../contract/names.ts';
import { DEFAULT_KEY_TTL_MS } from '../contract/settings.ts';
import type { CheckedRequest } from './check-request.ts';
import { isOpen, memoOf } from './view.ts';

/** What a start makes of the execution that it finds under its ID. */
export type HowToAnswer = 'mine' | 'renew' | 'conflict' | 'attach' | 'resume' | 'replay';

/** What a start knows besides its request. */
export interface StartFacts {
  /** Of this very start: an execution that has it was made by it, whatever became of the answer. */
  nonce: string;
  now: Date;
  retryFailed: boolean;
}

/** The table of what is found under a key, read from the top. */
export function howToAnswer(
  found: WorkflowExecutionDescription,
  request: CheckedRequest,
  { nonce, now, retryFailed }: StartFacts,
): HowToAnswer {
  const memo = memoOf(found);
  if (memo.nonce === nonce) return 'mine';
  if (found.type === FORGOTTEN) return 'renew';
  if (found.type !== AGENT_RUN) return 'conflict';
  if (!isOpen(found) && hasExpired(found, request, now)) return 'renew';
  if (memo.fingerprint !== request.fingerprint) return 'conflict';
  if (isOpen(found)) return 'attach';
  if (found.status.name === 'COMPLETED') return 'replay';
  return retryFailed ? 'resume' : 'replay';
}

/** A key lives on after its run; a fingerprint in the place of a key, for a window from its start. */
function hasExpired(
  found: WorkflowExecutionDescription,
  { dedupeWindowMs }: CheckedRequest,
  now: Date,
): boolean {
  const memo = memoOf(found);
  if (dedupeWindowMs !== undefined) {
    const firstSeen = Date.parse(memo.firstSeen ?? '') || found.startTime.getTime();
    return now.getTime() - firstSeen >= dedupeWindowMs;
  }
  const closed = found.closeTime?.getTime() ?? now.getTime();
  return now.getTime() - closed >= (memo.ttlMs ?? DEFAULT_KEY_TTL_MS);
}

/** Says nothing of the earlier request: its caller may be somebody else. */
export function conflict(request: CheckedRequest): AgentOnceError {
  return new AgentOnceError(
    'key.conflict',
    `The key is taken: it names a request to agent "${request.run.agent}" with another input or other options. Nothing was started or changed. Send the first request again unchanged to get its run, or use a new key for a new request.`,
  );
}
