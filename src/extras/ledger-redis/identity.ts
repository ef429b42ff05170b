import { randomUUID } from 'node:crypto';
import type { LedgerContents, LedgerKeeper } from '../../ledger/keeper.ts';
import type { LedgerIdentity } from '../../ledger/port.ts';
import { Connection } from './connection.ts';
import { keys } from './keys.ts';
import { isoTime, Row } from './records.ts';
import { loadScript } from './script.ts';

const IDENTITY = loadScript('identity');
/** Keys of one look at the server's, other programs' included. */
const KEYS_AT_ONCE = 1_000;

/** See `Ledger.identity`. */
export function readIdentity(connection: Connection): Promise<LedgerIdentity> {
  return identify(connection, 'read');
}

/**
 * Opens the ledger in a Redis database for who looks after it. Close it when done.
 *
 * @throws {AgentOnceError} `config.invalid`
 */
export function openRedisLedgerKeeper(url: string): LedgerKeeper {
  const connection = new Connection(url);
  return {
    identity: () => readIdentity(connection),
    acceptRestore: (lost) => identify(connection, 'accept', lost),
    shut: () => identify(connection, 'shut'),
    reopen: () => identify(connection, 'reopen'),
    contents: () => readContents(connection),
    close: () => connection.close(),
  };
}

async function identify(
  connection: Connection,
  action: 'read' | 'accept' | 'shut' | 'reopen',
  lost = '',
): Promise<LedgerIdentity> {
  const reply = await connection.run(IDENTITY, [keys.identity], [action, randomUUID(), lost]);
  const row = new Row(reply);
  const others = row.text('stands_in_for');
  return {
    id: row.text('id') ?? '',
    standsInFor: others === null ? [] : others.split(' '),
    closedAt: row.time('closed_at'),
  };
}

async function readContents(connection: Connection): Promise<LedgerContents> {
  const found = new Set<string>();
  let newest = 0;
  let cursor = '0';
  do {
    const match = `${keys.stepPrefix('*')}*`;
    const reply = await connection.command(['SCAN', cursor, 'MATCH', match, 'COUNT', KEYS_AT_ONCE]);
    const [next, names] = Array.isArray(reply) ? reply : [];
    cursor = String(next ?? '0');
    for (const name of Array.isArray(names) ? names.map(String) : []) {
      if (found.has(name)) continue;
      found.add(name);
      const times = await connection.command([
        'HMGET',
        name,
        'created_at',
        'claimed_at',
        'ended_at',
      ]);
      for (const time of Array.isArray(times) ? times : []) {
        if (time !== null) newest = Math.max(newest, Number(String(time)));
      }
    }
  } while (cursor !== '0');
  return { steps: found.size, changedAt: newest === 0 ? null : isoTime(String(newest)) };
}
