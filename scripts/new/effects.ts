/** Each effect, and when a tool has it. */
export const EFFECTS = {
  read: 'nothing in the world changes',
  keyed: 'the other side deduplicates by a key',
  transactional: "everything that it writes is in the ledger's own database",
  reconcile: 'it can be looked up whether it happened',
  'at-most-once': 'none of the others holds',
} as const;

export type Effect = keyof typeof EFFECTS;

export function isEffect(text: string): text is Effect {
  return text in EFFECTS;
}
