import type { WorkflowExecutionDescription } from '@temporalio/client';
import { defined } from '../contract/defined.ts';
import { sha256Hex } from '../contract/hash.ts';
import { FORGOTTEN } from '../contract/names.ts';
import type { KnownRecords } from '../contract/run.ts';
import { scopeFrom } from '../contract/step.ts';
import type { CheckedRequest } from './check-request.ts';
import type { ClientContext } from './context.ts';
import { knownTo } from './outcome.ts';
import { memoOf, scopeOf } from './view.ts';

/** A new execution under an ID that has had one. */
export interface Successor {
  intent: 'new' | 'resume';
  /** Run ID of the closed execution that was seen. */
  predecessor: string;
  scope: string;
  /** Scope that ends with it. */
  retires?: string;
  /** A resumed run keeps it: it is the same request. */
  firstSeen?: string;
  /** What the run that is resumed has seen recorded. */
  known?: KnownRecords;
}

/** Goes on where a failed run stopped: in its scope, so that nothing recorded is repeated. */
export async function resumeOf(
  context: ClientContext,
  found: WorkflowExecutionDescription,
): Promise<Successor> {
  const known = await knownTo(context, found);
  const { firstSeen } = memoOf(found);
  const predecessor = found.runId;
  return { intent: 'resume', predecessor, scope: scopeOf(found), ...defined({ firstSeen, known }) };
}

/**
 * A new run after one that has expired or was forgotten. Its scope follows from what it succeeds
 * and what it is: a caller who is late and starts it a second time finds its steps recorded.
 */
export function newRunAfter(
  found: WorkflowExecutionDescription,
  { fingerprint, options }: CheckedRequest,
): Successor {
  // A tombstone names the scope that was forgotten; one made by an older caller may not.
  const retires = found.type === FORGOTTEN ? memoOf(found).scope : scopeOf(found);
  return {
    intent: 'new',
    predecessor: found.runId,
    scope: scopeFrom(sha256Hex(`${found.runId}\n${fingerprint}`), options?.shadow),
    ...defined({ retires }),
  };
}
