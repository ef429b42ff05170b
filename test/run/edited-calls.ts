import { expect } from '@jest/globals';
import type { RunView, StartRequest } from '../../src/client/types.ts';
import type { DecisionInput } from '../../src/contract/decision.ts';
import { eventually } from '../support/eventually.ts';
import { script, type TestSystem } from '../support/system.ts';
import { untilEnd } from '../support/until-end.ts';

export type EditedRun = StartRequest & { key: string; scope: string; workflowId: string };

/** The first call of a run, approved by ann. */
export const APPROVE = { step: 't1.c0', decision: 'approve', by: 'ann' } as const;

/** What tests of changed arguments do with runs of `editor`. */
export function editing(system: () => TestSystem) {
  const started = async (...answers: Parameters<typeof script>): Promise<EditedRun> => {
    const request = { agent: 'editor', input: script(...answers) };
    const { key, workflowId } = await system().client.start(request);
    return { ...request, key, workflowId, scope: await system().scopeOf(workflowId) };
  };
  const untilAsked = (run: EditedRun, ...steps: string[]): Promise<RunView> =>
    eventually(async () => {
      const view = await system().client.describe(run);
      expect(view.waiting.map(({ step }) => step)).toEqual(steps);
      return view;
    });
  const decide = (run: EditedRun, answer: Partial<DecisionInput>) =>
    system().client.decide(run, { ...APPROVE, ...answer });
  const endOf = (run: EditedRun) => untilEnd(system().client, run);
  /** What the other side was asked, by label: the amounts and how often. */
  const asked = (tool: string, label: string, ...amounts: number[]) =>
    amounts.map((amount) => system().counter.requests(`${tool}:${label}:${amount}`));
  /** What the model was told of a call of the turn before. */
  const toldOf = async ({ scope }: EditedRun, turn: number, call: string): Promise<unknown> => {
    const [request] = await system().receivedBy(`${scope}:t${turn}.model`);
    const messages = request?.body['messages'] as { tool_call_id?: string; content: string }[];
    const message = messages.find((each) => each.tool_call_id === call);
    return JSON.parse(message?.content ?? 'null');
  };
  return { started, untilAsked, decide, endOf, asked, toldOf };
}
