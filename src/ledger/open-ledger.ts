import { AgentOnceError } from '../contract/errors.ts';
import type { Effect } from '../contract/step.ts';
import type { LedgerKeeper } from './keeper.ts';
import type { Ledger } from './port.ts';
import type { LedgerReader } from './reader.ts';

export interface OpenLedgerOptions {
  /** The tools that will use it: what a backend cannot promise one of them is refused. */
  tools?: readonly { name: string; effect: Effect }[];
  /** The operator's word that a Redis is one node that forgets nothing. */
  redisDurable?: boolean;
}

/**
 * Opens the ledger at `LEDGER_URL`: PostgreSQL or Redis, by the URL's scheme. Close it when done.
 *
 * @throws {AgentOnceError} `config.invalid`, `ledger.unreachable`; `ledger.invalid`, also where the
 *   backend cannot keep a tool's promise
 */
export async function openLedger(url: string, options: OpenLedgerOptions = {}): Promise<Ledger> {
  if (backendOf(url) === 'postgres') {
    const { createPostgresLedger } = await import('./postgres/postgres-ledger.ts');
    return createPostgresLedger(url);
  }
  const durableFor = checkForRedis(options);
  const { createRedisLedger } = await import('./redis/redis-ledger.ts');
  return createRedisLedger(url, { durableFor });
}

/**
 * Opens the ledger for somebody who only reads: nothing is changed in it. Close it when done.
 *
 * @throws {AgentOnceError} `config.invalid`
 */
export async function openLedgerReader(url: string): Promise<LedgerReader> {
  if (backendOf(url) === 'postgres') {
    const { openPostgresLedgerReader } = await import('./postgres/read-ledger.ts');
    return openPostgresLedgerReader(url);
  }
  const { openRedisLedgerReader } = await import('./redis/read-ledger.ts');
  return openRedisLedgerReader(url);
}

/**
 * Opens the ledger for the person who looks after its database. Close it when done.
 *
 * @throws {AgentOnceError} `config.invalid`, `ledger.unreachable`, `ledger.invalid`
 */
export async function openLedgerKeeper(url: string): Promise<LedgerKeeper> {
  if (backendOf(url) === 'postgres') {
    const { openPostgresLedgerKeeper } = await import('./postgres/identity.ts');
    return openPostgresLedgerKeeper(url);
  }
  const { openRedisLedgerKeeper } = await import('./redis/identity.ts');
  return openRedisLedgerKeeper(url);
}

/**
 * Brings the ledger's schema up to date and gives roles the rights of workers. Repeatable.
 *
 * @returns where the ledger is, and what was done; `undefined`: a Redis, which has no schema
 * @throws {AgentOnceError} `config.invalid`, `ledger.unreachable`, `ledger.invalid`
 */
export async function migrateLedger(
  url: string,
  grantTo: readonly string[],
): Promise<{ where: string; applied: string[] } | undefined> {
  if (backendOf(url) === 'redis') return undefined;
  const { migrate } = await import('./postgres/migrate.ts');
  return migrate(url, grantTo);
}

function backendOf(url: string): 'postgres' | 'redis' {
  const scheme = /^(postgres|postgresql|rediss?):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    // The URL is not repeated: it may hold a password.
    throw new AgentOnceError(
      'config.invalid',
      'LEDGER_URL is neither a PostgreSQL URL (postgres://user:password@host:port/database) nor a Redis URL (redis://user:password@host:port/number).',
    );
  }
  return scheme.startsWith('postgres') ? 'postgres' : 'redis';
}

/** @returns names of the tools for which the server must be durable */
function checkForRedis({ tools = [], redisDurable = false }: OpenLedgerOptions): string[] {
  const transactional = tools.find(({ effect }) => effect === 'transactional');
  if (transactional) {
    throw new AgentOnceError(
      'ledger.invalid',
      `The tool "${transactional.name}" is transactional, and the Redis ledger at LEDGER_URL has no transactions for tools. Use a PostgreSQL ledger, or another effect.`,
    );
  }
  const atMostOnce = tools.filter(({ effect }) => effect === 'at-most-once');
  const [first] = atMostOnce;
  if (first && !redisDurable) {
    throw new AgentOnceError(
      'config.invalid',
      `The tool "${first.name}" runs at most once, and a Redis ledger can forget a claim when it fails over or restarts: the tool would run again. Use a PostgreSQL ledger, or another effect; or, where LEDGER_URL is a single Redis with appendonly yes, appendfsync always and maxmemory-policy noeviction, say so with AGENT_ONCE_REDIS_DURABLE=on.`,
    );
  }
  return atMostOnce.map(({ name }) => name);
}
