import type { JsonValue } from '../../src/contract/json-value.ts';
import type { RunStatus } from '../../src/contract/run.ts';
import type { RunView, StartedRun, StartRequest } from '../../src/client/types.ts';
import { eventually } from '../support/eventually.ts';
import { script, type TestSystem } from '../support/system.ts';
import type { Kind } from './recorded.ts';

/** One execution of a workflow; without a run ID the latest under the workflow ID. */
export interface Execution {
  workflowId: string;
  runId?: string;
}

/** Keeps the history of an execution, as it is at this moment. */
export type RecordExecution = (kind: Kind, execution: Execution) => Promise<void>;

/** Plays runs of some kinds, and has them recorded. */
export type Play = (system: TestSystem, record: RecordExecution) => Promise<void>;

type Request = StartRequest & { key: string };

/** A request under a key that says what its run is about. */
export function requestOf(kind: Kind, ...answers: JsonValue[]): Request {
  return { agent: 'tester', key: kind, input: script(...answers) };
}

/** Starts a run and waits for its end, which must be the expected one. */
export async function playToEnd(
  system: TestSystem,
  request: Request,
  status: RunStatus = 'completed',
): Promise<StartedRun> {
  const started = await system.client.start(request);
  await untilEnd(system, request, status);
  return started;
}

export async function untilEnd(
  { client }: TestSystem,
  { agent, key }: Request,
  status: RunStatus = 'completed',
): Promise<RunView> {
  const view = await client.result({ agent, key }, { timeoutMs: 60_000 });
  if (view.status !== status) {
    throw new Error(`${key} is ${view.status} and not ${status}: ${view.error?.message}`);
  }
  return view;
}

/** Waits until the run asks about these steps and no others. */
export async function untilAsked(
  { client }: TestSystem,
  { agent, key }: Request,
  ...steps: string[]
): Promise<void> {
  await eventually(async () => {
    const { waiting } = await client.describe({ agent, key });
    const asked = waiting.map(({ step }) => step).sort();
    if (asked.join() !== steps.join()) throw new Error(`${key} asks about: ${asked.join()}`);
  });
}

/** Waits until the other side of the tools was asked under this name. */
export async function untilRequested({ counter }: TestSystem, name: string): Promise<void> {
  await eventually(() => {
    if (counter.requests(name) === 0) throw new Error(`Nobody has asked for ${name}`);
  });
}
