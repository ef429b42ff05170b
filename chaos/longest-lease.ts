import type { Registry } from '../src/define/registry.ts';
import { FAST_LANE } from '../src/contract/settings.ts';

/** Of the ledger in PostgreSQL: what a worker's lease holds after its last renewal. */
const WORKER_LEASE_MS = 6_000;

/** The longest time for which a claim of any step holds that nobody works under, in milliseconds. */
export function longestLease(registry: Registry): number {
  const tools = registry
    .tools()
    .map(({ definition, policy }) =>
      definition.lane === 'fast' ? policy.startToCloseMs + FAST_LANE.leaseMarginMs : policy.leaseMs,
    );
  const models = registry.names().map((name) => registry.settingsOf(name).modelPolicy.leaseMs);
  return Math.max(WORKER_LEASE_MS, ...tools, ...models);
}
