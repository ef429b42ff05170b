/**
 * Whether every ledger and Temporal can keep a text as it is: PostgreSQL's have no null character,
 * and UTF-8 has no lone surrogate.
 */
export function isKeepable(text: unknown): text is string {
  return typeof text === 'string' && !text.includes('\0') && text.isWellFormed();
}
