import { readFlag } from '../../env.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import type { OpenLedgerOptions } from '../../ledger/open-ledger.ts';

/**
 * Refuses tools to which Redis cannot keep their promise.
 *
 * @returns names of the tools for which the server must be durable
 * @throws {AgentOnceError} `ledger.invalid`, `config.invalid`
 */
export function assertServes(tools: NonNullable<OpenLedgerOptions['tools']>): string[] {
  const transactional = tools.find(({ effect }) => effect === 'transactional');
  if (transactional) {
    throw new AgentOnceError(
      'ledger.invalid',
      `The tool "${transactional.name}" is transactional, and the Redis ledger at LEDGER_URL has no transactions for tools. Use a PostgreSQL ledger, or another effect.`,
    );
  }
  const atMostOnce = tools.filter(({ effect }) => effect === 'at-most-once');
  const [first] = atMostOnce;
  // The operator's word that it is one node that forgets nothing.
  if (first && !readFlag('AGENT_ONCE_REDIS_DURABLE', false)) {
    throw new AgentOnceError(
      'config.invalid',
      `The tool "${first.name}" runs at most once, and a Redis ledger can forget a claim when it fails over or restarts: the tool would run again. Use a PostgreSQL ledger, or another effect; or, where LEDGER_URL is a single Redis with appendonly yes, appendfsync always and maxmemory-policy noeviction, say so with AGENT_ONCE_REDIS_DURABLE=on.`,
    );
  }
  return atMostOnce.map(({ name }) => name);
}
