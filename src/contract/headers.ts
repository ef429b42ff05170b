/** What one's own requests carry, and what tells one body from another. */
const OURS = /^(?:idempotency-key|x-agent-run-id|content-(?:type|length)|host|connection)$/i;

/** Whether the engine sets this header of a request to a model itself. */
export function isOurHeader(name: string): boolean {
  return OURS.test(name);
}

export function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);
}

/** Printable ASCII. */
export function isHeaderValue(value: string): boolean {
  return /^[\x20-\x7e]*$/.test(value);
}
