import type { LedgerReader } from '../../ledger/reader.ts';
import type { ExplainedStep } from './explanation.ts';

/** Adds to each step with whom it shares its result, where it does. */
export async function withSharing(
  ledger: LedgerReader,
  steps: readonly ExplainedStep[],
): Promise<ExplainedStep[]> {
  const tokens = [...new Set(steps.map(groupOf))];
  const found = (await ledger.sharing?.(tokens)) ?? [];
  const groups = new Map(found.map((group) => [group.token, group]));
  return steps.map((step) => {
    const token = groupOf(step);
    const group = groups.get(token);
    const others = step.sharing !== undefined || (group !== undefined && group.steps > 1);
    if (!others) return step;
    const { steps: sharers = null, costUsd = null } = group ?? {};
    const shareUsd = costUsd === null || sharers === null ? null : costUsd / sharers;
    return { ...step, sharing: { with: token, steps: sharers, costUsd, shareUsd } };
  });
}

/** Token of the step that made what this one has. */
function groupOf({ sharing, token }: ExplainedStep): string {
  return sharing?.with ?? token;
}
