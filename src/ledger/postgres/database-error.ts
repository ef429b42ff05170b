import { AgentOnceError } from '../../contract/errors.ts';

/**
 * SQLSTATEs, or their classes, after which asking again later may help: nothing was decided.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const UNREACHABLE = [
  '08', // connection exceptions
  '53', // insufficient resources: connections, memory, disk
  '57P', // shutting down, starting up, crashed
  '55P03', // lock_timeout: somebody holds the row
  '57014', // statement_timeout
  '25006', // read-only: a standby, in the middle of a failover
  '40001', // serialization failure
  '40P01', // deadlock
];
const CONNECTION_LOST = ['08', '57P', '53300', '25P03'];
/** The database answers, but not to us: a person has to change something. */
const INVALID = ['28', '3D000'];

/** Data exceptions and limits of the program: the same value is refused whenever it is sent. */
const VALUE_REFUSED = ['22', '54'];

const SQLSTATE = /^[0-9A-Z]{5}$/;
const SYSTEM_ERROR = /^E(?!RR_)[A-Z]{3,}$/;
const TLS_ERROR = /CERT|LEAF_SIGNATURE|^ERR_(SSL|TLS)/;
/** Errors of `pg` and `pg-pool` that carry no code. */
const CLIENT_ERROR =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client (has encountered a connection error|was closed)|Cannot use a pool after calling end)/;
const REFUSED = /^(SASL: |The server does not support SSL)/;

/**
 * What an error of the database means to the ledger's caller: `ledger.unreachable` where asking
 * again may help, `ledger.invalid` where a person has to act, any other error as it is.
 *
 * @param where host, port and database, without credentials
 */
export function toLedgerError(error: unknown, where: string): unknown {
  if (error instanceof AgentOnceError) return error;
  const code = codeOf(error);
  if (code === '42501') return missingRights(where, error);
  const refusal = refusalOf(error, code);
  if (refusal !== undefined) {
    return new AgentOnceError(
      'ledger.invalid',
      `The ledger at ${where} cannot be used: ${refusal}. Nothing was changed. Correct LEDGER_URL, or the database's users.`,
      { cause: error },
    );
  }
  if (isOneOf(code, VALUE_REFUSED)) return valueRefused(code, error);
  if (!isOneOf(code, UNREACHABLE) && !isConnectionLoss(error)) return error;
  return new AgentOnceError(
    'ledger.unreachable',
    `The ledger at ${where} does not answer (${reason(error, code)}). What it has recorded is kept; the step goes on when it is back.`,
    { cause: error },
  );
}

export function missingRights(where: string, cause?: unknown): AgentOnceError {
  return new AgentOnceError(
    'ledger.invalid',
    `The user of the ledger at ${where} lacks rights in it. Nothing was changed. A migration needs CREATE on the database, or to own the schema agent_once; a worker needs USAGE on the schema, SELECT on its tables, and INSERT and UPDATE on agent_once.steps.`,
    cause === undefined ? undefined : { cause },
  );
}

/** Its own words are left out: they repeat the value. */
function valueRefused(code: string, cause: unknown): AgentOnceError {
  return new AgentOnceError(
    'ledger.value_refused',
    `A value of this step is one that the ledger cannot hold (${code}), so the step was not tried again. What was recorded before it is kept. Text in it may have null characters, or be too long.`,
    { cause },
  );
}

/** Whether an error says that the connection is gone, and a transaction on it with it. */
export function isConnectionLoss(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== undefined && SQLSTATE.test(code) && !SYSTEM_ERROR.test(code)) {
    return isOneOf(code, CONNECTION_LOST);
  }
  if (code !== undefined && SYSTEM_ERROR.test(code)) return true;
  return error instanceof Error && CLIENT_ERROR.test(error.message);
}

/** SQLSTATE of a database error, code of a system error. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function isOneOf(code: string | undefined, prefixes: readonly string[]): code is string {
  return code !== undefined && prefixes.some((prefix) => code.startsWith(prefix));
}

function refusalOf(error: unknown, code: string | undefined): string | undefined {
  if (code === '3D000') return 'there is no such database';
  if (isOneOf(code, INVALID)) return 'it does not accept the user or the password';
  if (code !== undefined && TLS_ERROR.test(code)) return 'its certificate is not trusted';
  if (!(error instanceof Error) || !REFUSED.test(error.message)) return undefined;
  return error.message.startsWith('SASL') ? 'the password is missing or wrong' : 'it offers no TLS';
}

function reason(error: unknown, code: string | undefined): string {
  if (code !== undefined) return code;
  // One of the messages listed above: none of them names a host or a user.
  return error instanceof Error ? error.message : 'no reason given';
}
