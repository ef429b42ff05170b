import { connectionFailure } from '../../contract/connection-failure.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import {
  ledgerAway,
  ledgerRefused,
  networkError,
  valueRefused,
  type NetworkAdvice,
} from '../ledger-errors.ts';
import { GRANT_OPTIONS, grantsFor, type LedgerUser } from './rights.ts';

const URL_OR_USERS = "Correct LEDGER_URL, or the database's users.";
const CLIENT_CERTIFICATE = 'Name the files of sslcert and sslkey in LEDGER_URL.';
const NO_CODE = /^$/;

const OF_NETWORK: NetworkAdvice = {
  certificate:
    'Name the file of the CA with sslrootcert in LEDGER_URL, or correct the host or the certificate; sslmode=no-verify encrypts without a check.',
  'client-certificate': CLIENT_CERTIFICATE,
  tls: 'Correct sslmode in LEDGER_URL.',
};

/**
 * SQLSTATEs after which a person has to act, those of `pg` itself without any. The first that fits
 * counts. The reasons of 28000 stand in its message alone; the names in it are not repeated.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const REFUSED: readonly (readonly [code: RegExp, message: RegExp, says: string, advice: string])[] =
  [
    [NO_CODE, /^SASL: /, 'the password is missing or wrong', URL_OR_USERS],
    [
      NO_CODE,
      /^The server does not support SSL/,
      'it offers no TLS, and LEDGER_URL asks for it',
      'Leave sslmode out of LEDGER_URL, or switch TLS on in the server.',
    ],
    [/^3D000$/, /^/, 'there is no such database', URL_OR_USERS],
    [/^28P01$/, /^/, 'it does not accept the user or the password', URL_OR_USERS],
    [
      /^28/,
      /no encryption|SSL off|SSL connection is required|insecure|sslmode/i,
      'it takes no connection without TLS of this user from here',
      'Add ?sslmode=verify-full to LEDGER_URL, and &sslrootcert=FILE where the certificate is from a CA of its own. Where that does not help, its pg_hba.conf has no entry for this user.',
    ],
    [/^28/, /client certificate/i, 'it wants a client certificate', CLIENT_CERTIFICATE],
    [
      /^28/,
      /pg_hba\.conf/,
      'its pg_hba.conf has no entry that lets this host and user into this database',
      'Correct LEDGER_URL, or add the entry. Where the entries are for TLS alone, add ?sslmode=verify-full to LEDGER_URL.',
    ],
    [/^28/, /^/, 'it does not accept the user', URL_OR_USERS],
  ];

/** SQLSTATEs after which asking again later may help: nothing was decided. The first that fits counts. */
const AWAY: readonly (readonly [code: RegExp, says: string])[] = [
  [/^08/, 'The connection broke off.'],
  [/^53100$/, 'Its disk is full.'],
  [/^53200$/, 'It has no memory left.'],
  [/^53300$/, 'It has no connection left: raise its limit, or lower the number of workers.'],
  [/^53/, 'It has reached one of its limits.'],
  [/^57P03$/, 'It is starting or stopping.'],
  [/^57P/, 'It was shut down, or ended the connection.'],
  [/^55P03$/, 'Somebody holds a lock.'],
  [/^57014$/, 'The statement took too long.'],
  [/^58/, 'Its own files or its disk fail.'],
  [/^25006$/, 'It takes no writes: it is a standby, or was set to read-only.'],
  [/^(?:40001|40P01)$/, "Two transactions stood in each other's way."],
];
const SQLSTATE = /^[0-9A-Z]{5}$/;
const CONNECTION_LOST = /^(?:08|57P|53300|25P03)/;
/** Data exceptions and limits of the program: the same value is refused whenever it is sent. */
const VALUE_REFUSED = /^(?:22|54)/;
/** Errors of `pg` and `pg-pool` that carry no code. None of them names a host or a user. */
const OF_DRIVER =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client (has encountered a connection error|was closed)|Cannot use a pool after calling end|There was an error establishing an SSL connection)/;

/**
 * What an error of the database means to the ledger's caller: `ledger.unreachable` where asking
 * again may help, `ledger.invalid` where a person has to act, any other error as it is.
 *
 * @param where host, port and database, without credentials
 */
export function toLedgerError(error: unknown, where: string): unknown {
  if (error instanceof AgentOnceError) return error;
  const ofNetwork = networkError(error, where, OF_NETWORK);
  if (ofNetwork) return ofNetwork;
  const { severity } = (error ?? {}) as { severity?: unknown };
  const message = error instanceof Error ? error.message : '';
  // PgBouncer has one SQLSTATE for everything.
  if (/statement pooling/i.test(message)) {
    return new AgentOnceError(
      'ledger.invalid',
      `The pooler at ${where} pools single statements (pool_mode = statement), and the ledger needs transactions. Nothing was changed. Set pool_mode to transaction or session there, or set LEDGER_URL to the database itself.`,
      { cause: error },
    );
  }
  const code = isReadOnly(error) ? '25006' : (codeOf(error) ?? '');
  if (code === '42501') return missingRights(where, undefined, { cause: error });
  if (VALUE_REFUSED.test(code)) {
    return valueRefused(`Text in it may have null characters, or be too long (${code}).`, error);
  }
  const refused = REFUSED.find(([of, words]) => of.test(code) && words.test(message));
  if (refused) {
    const [, , says, advice] = refused;
    return ledgerRefused(where, code === '' ? says : `${says} (${code})`, advice, error);
  }
  const away = AWAY.find(([of]) => of.test(code));
  if (away) return ledgerAway(where, code, away[1], error);
  if (OF_DRIVER.test(message)) return ledgerAway(where, message, '', error);
  // What ends the session is never about the statement alone. Poolers and proxies use XX000.
  return code !== '' && (severity === 'FATAL' || severity === 'PANIC')
    ? ledgerAway(where, code, 'It ended the connection.', error)
    : error;
}

/** @param grants statements that give all of them */
export function missingRights(
  where: string,
  grants: readonly string[] = grantsFor('worker', 'agent_once_worker'),
  of: { schema?: string; user?: LedgerUser; cause?: unknown } = {},
): AgentOnceError {
  const { schema = 'agent_once', user = 'worker', cause } = of;
  return new AgentOnceError(
    'ledger.invalid',
    `The user of the ledger at ${where} lacks rights in it. Nothing was changed. Run this there, as the owner of the schema ${schema} and with the user's name: ${grants.join(' ')} Or let \`agent-once ledger migrate ${GRANT_OPTIONS[user]} NAME\` do it.`,
    cause === undefined ? undefined : { cause },
  );
}

/** Whether an error says that the connection is gone, and a transaction on it with it. */
export function isConnectionLoss(error: unknown): boolean {
  const failure = connectionFailure(error);
  if (failure) return !(failure.kind in OF_NETWORK);
  const code = codeOf(error) ?? '';
  if (SQLSTATE.test(code)) return CONNECTION_LOST.test(code);
  return error instanceof Error && OF_DRIVER.test(error.message);
}

/** Whether there is a server that refused us, by its own word or for a certificate. */
export function isRefusal(error: unknown): boolean {
  const failure = connectionFailure(error);
  return failure ? failure.kind in OF_NETWORK : SQLSTATE.test(codeOf(error) ?? '');
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
