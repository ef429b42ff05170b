import type { Lane } from '../src/contract/step.ts';

/** What the model calls the tools; ours has those of each lane. */
export function toolNames(lane?: Lane): { look: string; charge: string } {
  return lane === 'standard'
    ? { look: 'look_standard', charge: 'charge_standard' }
    : { look: 'look', charge: 'charge' };
}

export const ANSWER = 'Order 1042 is charged.';
export const MODEL_CALLS = 4;
export const TOOL_CALLS = 4;

/**
 * The request as text, which is what the model sees of it: it plays 4 model calls, and 4 tool calls
 * of which two run at once.
 */
export function questionFor(lane?: Lane): string {
  const { look, charge } = toolNames(lane);
  const script = [
    { calls: [{ name: look, arguments: { label: 'order-1042' } }] },
    {
      calls: [
        { name: look, arguments: { label: 'customer-7' } },
        { name: look, arguments: { label: 'policy-3' } },
      ],
    },
    { calls: [{ name: charge, arguments: { label: 'order-1042' } }] },
    { say: ANSWER },
  ];
  return JSON.stringify({ script });
}

/** Model calls of a run that mostly waits; it has one tool call between them. */
export const WAITING_MODEL_CALLS = 2;

/** The request of a run that mostly waits. */
export function waitingQuestionFor(lane?: Lane): string {
  const { look } = toolNames(lane);
  const script = [{ calls: [{ name: look, arguments: { label: 'order-1042' } }] }, { say: ANSWER }];
  return JSON.stringify({ script });
}

/** A run of a backlog: two model calls, and one tool call between them. */
export function backlogQuestion(tool: string): string {
  const calls = [{ name: tool, arguments: { label: 'order-1042' } }];
  return JSON.stringify({ script: [{ calls }, { say: ANSWER }] });
}
