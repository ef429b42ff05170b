import { readFlag } from '../../env.ts';
import type { WorkerParts } from '../../worker/worker-parts.ts';
import { withFreshToken } from '../dev/fresh-token.ts';

/**
 * With `AGENT_ONCE_DEMO_NO_TOKENS=on`, the worker's tools send another token in each attempt: the
 * refund is booked twice, and the demo must find that.
 */
export function withoutTokens(parts: WorkerParts): WorkerParts {
  if (!readFlag('AGENT_ONCE_DEMO_NO_TOKENS', false)) return parts;
  process.stderr.write(
    'AGENT_ONCE_DEMO_NO_TOKENS is set: effects may happen twice. Never set it where effects are real.\n',
  );
  const { agents } = parts;
  return { ...parts, agents: { ...agents, tools: () => agents.tools().map(withFreshToken) } };
}
