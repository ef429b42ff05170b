import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { identifyById, type RunIdentity } from '../../client/context.ts';
import type { RunView } from '../../client/types.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import type { Caller } from './api-keys/port.ts';
import type { run as runSchema } from './schemas.ts';

/** A run as HTTP shows it. */
export type RunBody = z.infer<typeof runSchema>;

/** The fields of the command's `--json`, with `id` for the workflow ID. */
export function toBody(view: RunView): RunBody {
  return {
    id: view.workflowId,
    runId: view.runId,
    agent: view.agent,
    tenant: view.tenant,
    key: view.key,
    status: view.status,
    result: view.result,
    error: view.error,
    usage: view.usage,
    waiting: view.waiting,
    ...(view.waitingMore === undefined ? {} : { waitingMore: view.waitingMore }),
    ...(view.shadow ? { shadow: view.shadow } : {}),
    startedAt: view.startedAt,
    closedAt: view.closedAt,
  };
}

/**
 * The caller's own run of this ID. Another tenant's is not there, in the very words in which none
 * is: nothing is looked up for it.
 *
 * @throws {AgentOnceError} `run.not_found`
 */
export function runOf(caller: Caller, id: string): RunIdentity {
  const run = identifyById(id);
  if (run?.tenant === caller.tenant) return run;
  throw noSuchRun();
}

/**
 * Says of a run that is not there the same as of another tenant's.
 *
 * @throws {AgentOnceError} what `ask` throws; a `run.not_found` in the words of `runOf`
 */
export async function withoutTraces<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const missing = error instanceof AgentOnceError && error.code === 'run.not_found';
    throw missing ? noSuchRun() : error;
  }
}

export function noSuchRun(): AgentOnceError {
  return new AgentOnceError(
    'run.not_found',
    'There is no run with this ID. IDs are case-sensitive, and a run is forgotten some time after it ended.',
  );
}

export function locationOf(id: string): string {
  return `/v1/runs/${encodeURIComponent(id)}`;
}

/** A strong validator (RFC 9110 section 8.8.3) of a body. */
export function etagOf(body: unknown): string {
  return `"${createHash('sha256').update(JSON.stringify(body)).digest('base64url').slice(0, 27)}"`;
}
