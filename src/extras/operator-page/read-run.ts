import type { RunIdentity } from '../../client/context.ts';
import { getExecution } from '../../client/describe.ts';
import { scopeOf } from '../../client/view.ts';
import type { RunView } from '../../client/types.ts';
import type { OpenQuestion } from '../../contract/decision.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import type { ServiceDeps } from '../service/deps.ts';
import { parseArguments, type GivenArguments } from './parse-arguments.ts';

/** A run that asks, and what the calls that it asks about would be made with. */
export interface AskingRun {
  view: RunView;
  /** By step; a step that is missing: the ledger could not be read. */
  arguments: Map<string, GivenArguments>;
}

/** @throws {AgentOnceError} `run.not_found`, `temporal.…` */
export async function readAskingRun(
  deps: Pick<ServiceDeps, 'client' | 'ledger' | 'agentOf'>,
  run: RunIdentity,
): Promise<AskingRun> {
  const { client } = deps;
  const [view, execution] = await Promise.all([
    client.describe(run),
    getExecution(client.context, run),
  ]);
  return { view, arguments: await readArguments(deps, scopeOf(execution), run, view.waiting) };
}

/**
 * The arguments of calls that a run asks about, by their steps. A step that is missing: the ledger could
 * not be read.
 */
export async function readArguments(
  { ledger, agentOf }: Pick<ServiceDeps, 'ledger' | 'agentOf'>,
  scope: string,
  { agent }: Pick<RunIdentity, 'agent'>,
  questions: readonly OpenQuestion[],
): Promise<Map<string, GivenArguments>> {
  if (questions.length === 0) return new Map();
  const asked = new Map(questions.map(({ step, tool }) => [step, tool]));
  const steps = await ledger.steps(scope).catch((error: unknown) => {
    if (error instanceof AgentOnceError && error.code.startsWith('ledger.')) return [];
    throw error;
  });
  const found = steps.map(async ({ step, request }): Promise<[string, GivenArguments][]> => {
    const tool = asked.get(step);
    if (tool === undefined || request === null) return [];
    return [[step, await parseArguments(agentOf, { agent, tool, recorded: request })]];
  });
  return new Map((await Promise.all(found)).flat());
}
