import type { RunIdentity } from '../../client/context.ts';
import { getExecution } from '../../client/describe.ts';
import { scopeOf } from '../../client/view.ts';
import type { RunView } from '../../client/types.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import type { ServiceDeps } from '../service/deps.ts';

/** A run that asks, and what the calls that it asks about would be made with. */
export interface AskingRun {
  view: RunView;
  /** By step; a step that is missing: the ledger could not be read. */
  arguments: Map<string, JsonValue>;
}

/** @throws {AgentOnceError} `run.not_found`, `temporal.…` */
export async function readAskingRun(
  { client, ledger }: Pick<ServiceDeps, 'client' | 'ledger'>,
  run: RunIdentity,
): Promise<AskingRun> {
  const [view, execution] = await Promise.all([
    client.describe(run),
    getExecution(client.context, run),
  ]);
  const asked = new Set(view.waiting.map(({ step }) => step));
  if (asked.size === 0) return { view, arguments: new Map() };
  const steps = await ledger.steps(scopeOf(execution)).catch((error: unknown) => {
    if (error instanceof AgentOnceError && error.code.startsWith('ledger.')) return [];
    throw error;
  });
  const found = steps.flatMap(({ step, request }): [string, JsonValue][] =>
    asked.has(step) && request !== null ? [[step, request]] : [],
  );
  return { view, arguments: new Map(found) };
}
