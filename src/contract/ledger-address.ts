/** `The ledger at db:5432/agent_once …`, and without a host: `… at the local socket/agent_once …`. */
const ADDRESS = /\b(ledger|database) at (?:the local socket)?\S+/gi;

/**
 * An error of the ledger as runs keep and show it: where the ledger is, is its operators' to know,
 * and a run's errors reach whoever may read the run.
 */
export function withoutLedgerAddress(message: string): string {
  return message.replace(ADDRESS, '$1');
}
