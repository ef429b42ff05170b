import type { WorkflowStartOptions } from '@temporalio/client';
import { InternalWorkflowStartOptionsSymbol } from '@temporalio/client/lib/internal.js';
import { sha256Hex } from '../contract/hash.ts';

/**
 * Start options with a request ID of our own. The server merges starts that have the same one, as
 * long as the execution that it made is the current one: that is how callers who saw the same
 * closed run make one successor. The SDK has a place for it, for its own use; its versions are
 * pinned, and `test/client/request-id.test.ts` fails when that stops working.
 */
export function withRequestId(
  options: WorkflowStartOptions,
  requestId: string,
): WorkflowStartOptions {
  return Object.assign(options, { [InternalWorkflowStartOptionsSymbol]: { requestId } });
}

/** The request ID of whatever follows a closed execution: the same for every caller and intent. */
export function successorRequestId(closedRunId: string): string {
  return sha256Hex(`successor of ${closedRunId}`);
}
