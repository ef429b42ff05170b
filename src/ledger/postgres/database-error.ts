import {
  asSentence,
  connectionFailure,
  type ConnectionFailure,
} from '../../contract/connection-failure.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { ledgerAway, ledgerRefused, valueRefused } from '../ledger-errors.ts';
import { refusalOf } from './refusal.ts';
import { grantsFor } from './rights.ts';

/**
 * SQLSTATEs, or their classes, after which asking again later may help: nothing was decided. With
 * what a person may want to know of the server.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const UNREACHABLE: readonly (readonly [code: string, says: string])[] = [
  ['08', 'The connection broke off.'],
  ['53100', 'Its disk is full.'],
  ['53200', 'It has no memory left.'],
  ['53300', 'It has no connection left: raise its limit, or lower the number of workers.'],
  ['53', 'It has reached one of its limits.'],
  ['57P03', 'It is starting or stopping.'],
  ['57P', 'It was shut down, or ended the connection.'],
  ['55P03', 'Somebody holds a lock.'],
  ['57014', 'The statement took too long.'],
  ['58', 'Its own files or its disk fail.'],
  ['25006', 'It takes no writes: it is a standby, or was set to read-only.'],
  ['40001', "Two transactions stood in each other's way."],
  ['40P01', "Two transactions stood in each other's way."],
];
const CONNECTION_LOST = ['08', '57P', '53300', '25P03'];

/** Data exceptions and limits of the program: the same value is refused whenever it is sent. */
const VALUE_REFUSED = ['22', '54'];

const SQLSTATE = /^[0-9A-Z]{5}$/;
const SYSTEM_ERROR = /^E(?!RR_)[A-Z]{3,}$/;
/** Errors of `pg` and `pg-pool` that carry no code. */
const CLIENT_ERROR =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client (has encountered a connection error|was closed)|Cannot use a pool after calling end|There was an error establishing an SSL connection)/;
const BY_SERVER: readonly ConnectionFailure['kind'][] = [
  'certificate',
  'client-certificate',
  'tls',
];

/**
 * What an error of the database means to the ledger's caller: `ledger.unreachable` where asking
 * again may help, `ledger.invalid` where a person has to act, any other error as it is.
 *
 * @param where host, port and database, without credentials
 */
export function toLedgerError(error: unknown, where: string): unknown {
  if (error instanceof AgentOnceError) return error;
  const code = codeOf(error);
  if (code === '42501') return missingRights(where, undefined, error);
  const refusal = refusalOf(error);
  if (refusal !== undefined) return ledgerRefused(where, refusal, error);
  if (isOneOf(code, VALUE_REFUSED)) {
    return valueRefused(`Text in it may have null characters, or be too long (${code}).`, error);
  }
  const reason = reasonOf(error);
  return reason === undefined ? error : ledgerAway(where, reason, error);
}

/** @param grants statements that give all of them */
export function missingRights(
  where: string,
  grants: readonly string[] = grantsFor('worker', 'agent_once_worker'),
  cause?: unknown,
  schema = 'agent_once',
): AgentOnceError {
  return new AgentOnceError(
    'ledger.invalid',
    `The user of the ledger at ${where} lacks rights in it. Nothing was changed. Run this there, as the owner of the schema ${schema} and with the user's name: ${grants.join(' ')} Or let \`agent-once ledger migrate --grant-to NAME\` do it.`,
    cause === undefined ? undefined : { cause },
  );
}

/** Whether an error says that the connection is gone, and a transaction on it with it. */
export function isConnectionLoss(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== undefined && SQLSTATE.test(code) && !SYSTEM_ERROR.test(code)) {
    return isOneOf(code, CONNECTION_LOST);
  }
  const failure = connectionFailure(error);
  if (failure !== undefined) return !BY_SERVER.includes(failure.kind);
  return error instanceof Error && CLIENT_ERROR.test(error.message);
}

/** Whether the server takes no writes: what it was asked for was not done, and another may do it. */
export function isReadOnly(error: unknown): boolean {
  const code = codeOf(error);
  // With 0A000 a standby refuses a transaction that says READ WRITE.
  return code === '25006' || (code === '0A000' && /read-write.*recovery/.test(String(error)));
}

/** SQLSTATE of a database error, code of a system error. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function isOneOf(code: string | undefined, prefixes: readonly string[]): code is string {
  return code !== undefined && prefixes.some((prefix) => code.startsWith(prefix));
}

/** Of an error after which asking again may help. */
function reasonOf(error: unknown): { code: string; says: string } | undefined {
  const code = isReadOnly(error) ? '25006' : codeOf(error);
  const known = UNREACHABLE.find(([prefix]) => code?.startsWith(prefix));
  if (known && code !== undefined) return { code, says: `${known[1]} ` };
  const failure = connectionFailure(error);
  if (failure) return { code: failure.code, says: `${asSentence(failure)} ` };
  if (!(error instanceof Error)) return undefined;
  // One of the messages listed above: none of them names a host or a user.
  if (CLIENT_ERROR.test(error.message)) return { code: error.message, says: '' };
  // What ends the session is never about the statement alone. Poolers and proxies use XX000.
  const { severity } = error as { severity?: unknown };
  return code !== undefined && (severity === 'FATAL' || severity === 'PANIC')
    ? { code, says: 'It ended the connection. ' }
    : undefined;
}

/** Where a pooler pools single statements. PgBouncer has one SQLSTATE for everything. */
export function noTransactions(error: unknown, where: string): AgentOnceError | undefined {
  if (!(error instanceof Error) || !/statement pooling/i.test(error.message)) return undefined;
  return new AgentOnceError(
    'ledger.invalid',
    `The pooler at ${where} pools single statements (pool_mode = statement), and the ledger needs transactions. Nothing was changed. Set pool_mode to transaction or session there, or set LEDGER_URL to the database itself.`,
    { cause: error },
  );
}
