import { randomUUID } from 'node:crypto';
import type { LedgerContents, LedgerKeeper } from '../../ledger/keeper.ts';
import type { LedgerIdentity } from '../../ledger/port.ts';
import { Connection, list } from './connection.ts';
import { keys } from './keys.ts';
import { isoTime, Row } from './records.ts';
import { loadScript } from './script.ts';

const IDENTITY = loadScript('identity');
const TIMES = ['created_at', 'claimed_at', 'ended_at'];

/** See `Ledger.identity`. */
export function readIdentity(connection: Connection): Promise<LedgerIdentity> {
  return identify(connection, 'read');
}

/** See `openLedgerKeeper`. */
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
    const { next, names } = await connection.scan(cursor, `${keys.stepPrefix('*')}*`);
    cursor = next;
    for (const name of names.filter((each) => !found.has(each))) {
      found.add(name);
      const times = await connection.command(['HMGET', name, ...TIMES]);
      newest = Math.max(newest, ...list(times).map((time) => Number(String(time ?? 0))));
    }
  } while (cursor !== '0');
  return { steps: found.size, changedAt: newest === 0 ? null : isoTime(String(newest)) };
}
