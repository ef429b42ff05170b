/** What both do in a run: 4 model calls, and 4 tool calls of which two run at once. */
const SCRIPT = [
  { calls: [{ name: 'look', arguments: { label: 'order-1042' } }] },
  {
    calls: [
      { name: 'look', arguments: { label: 'customer-7' } },
      { name: 'look', arguments: { label: 'policy-3' } },
    ],
  },
  { calls: [{ name: 'charge', arguments: { label: 'order-1042' } }] },
  { say: 'Order 1042 is charged.' },
];

export const ANSWER = 'Order 1042 is charged.';
export const MODEL_CALLS = 4;
export const TOOL_CALLS = 4;

/** The request as text, which is what the model sees of it in both. */
export const QUESTION = JSON.stringify({ script: SCRIPT });
