import type { Registry } from '../src/define/registry.ts';
import { FAST_LANE } from '../src/contract/settings.ts';

/** The longest time for which a claim of any step holds that nobody works under, in milliseconds. */
export function longestLease(registry: Registry): number {
  const tools = registry
    .tools()
    .map(({ definition, policy }) =>
      definition.lane === 'fast' ? policy.startToCloseMs + FAST_LANE.leaseMarginMs : policy.leaseMs,
    );
  const models = registry.names().map((name) => registry.settingsOf(name).modelPolicy.leaseMs);
  return Math.max(...tools, ...models);
}
