import type { RegisteredAgent, RegisteredTool } from '../../agents/registry.ts';
import { sha256Hex } from '../../contract/hash.ts';
import { canonicalJson } from '../../contract/json.ts';
import type { StepRun, ToolStepInput } from '../../contract/step.ts';
import type { StepPolicy } from '../../contract/settings.ts';
import type { ModelRequest } from '../../model/port.ts';
import type { ShareTerms } from './share-work.ts';

/** What a tool's call shares with other runs, where its `dedup` is a window. */
export function toolShare(
  { definition: { dedup } }: RegisteredTool,
  { run, digest, policy }: ToolStepInput,
): ShareTerms | undefined {
  if (typeof dedup !== 'object') return undefined;
  return {
    name: nameOf('tool', run, digest),
    windowMs: dedup.windowSeconds * 1_000,
    startToCloseMs: policy.startToCloseMs,
  };
}

/** Whether an agent's definition wants its model calls shared with other runs. */
export function sharesModel({
  definition: { coalesce, cacheModelSeconds },
}: RegisteredAgent): boolean {
  return coalesce === true || cacheModelSeconds !== undefined;
}

/** What a model's call shares with other runs. */
export function modelShare(
  { definition: { cacheModelSeconds = 0 } }: RegisteredAgent,
  run: StepRun,
  request: ModelRequest,
  { startToCloseMs }: StepPolicy,
): ShareTerms {
  const name = nameOf('model', run, sha256Hex(JSON.stringify(request)));
  return { name, windowMs: cacheModelSeconds * 1_000, startToCloseMs };
}

/** Tenants and agents share nothing; neither do shadow runs and real ones. */
function nameOf(kind: string, { tenant, agent, shadow }: StepRun, digest: string): string {
  return sha256Hex(canonicalJson({ v: 1, kind, tenant, agent, shadow: shadow === true, digest }));
}
