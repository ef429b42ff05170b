import type { RunMemo } from '../../contract/run.ts';
import type { ExplainedExecution } from './explanation.ts';

/**
 * Whether the agent was defined otherwise when one of a run's executions was started than when the
 * one before it was; `null` where there was one only, or callers did not know the definition.
 */
export function definitionChanged(
  executions: readonly ExplainedExecution[],
  memos: ReadonlyMap<string, Partial<RunMemo>>,
  scope: string,
): boolean | null {
  const definitions = executions
    .filter((execution) => execution.scope === scope && execution.intent !== 'forgotten')
    .map(({ runId }) => memos.get(runId)?.definition)
    .filter((definition) => definition !== undefined);
  return definitions.length < 2 ? null : new Set(definitions).size > 1;
}
