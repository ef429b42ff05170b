/** Text of what a tool threw: it may throw anything, also what throws when it is looked at. */
export function describeThrown(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  } catch {
    return 'It threw something that cannot be shown.';
  }
}
