import {
  AbortError,
  ClientClosedError,
  ClientOfflineError,
  ConnectionTimeoutError,
  DisconnectsClientError,
  ErrorReply,
  SocketClosedUnexpectedlyError,
  SocketTimeoutError,
  TimeoutError,
} from 'redis';
import { AgentOnceError } from '../../contract/errors.ts';

/** Errors of the server after which asking again later may help: nothing was decided. */
const UNREACHABLE = [
  'LOADING', // reads its file after a start
  'OOM', // memory is full, and nothing may be evicted
  'MISCONF', // it cannot write its file
  'READONLY', // a replica, in the middle of a failover
  'MASTERDOWN',
  'NOREPLICAS',
  'BUSY', // another script runs
  'TRYAGAIN',
  'CLUSTERDOWN',
  'UNBLOCKED',
];
const TOO_LARGE = /string exceeds maximum allowed size/;
const IN_A_CLUSTER = 'it is a Redis Cluster, and the ledger needs one server with all keys';
/** The server answers, but not to us: a person has to change something. */
const REFUSALS: Record<string, string> = {
  NOAUTH: 'it wants a user or a password',
  WRONGPASS: 'it does not accept the user or the password',
  NOPERM:
    'its user lacks rights: a worker needs EVAL, EVALSHA and the commands of the scripts, on the keys agent_once:*',
  MOVED: IN_A_CLUSTER,
  ASK: IN_A_CLUSTER,
  CROSSSLOT: IN_A_CLUSTER,
};
const LOST = [
  AbortError,
  ClientClosedError,
  ClientOfflineError,
  ConnectionTimeoutError,
  DisconnectsClientError,
  SocketClosedUnexpectedlyError,
  SocketTimeoutError,
  TimeoutError,
];
const SYSTEM_ERROR = /^E(?!RR_)[A-Z_]{3,}$/;
const TLS_ERROR = /CERT|LEAF_SIGNATURE|^ERR_(SSL|TLS)|^EPROTO$/;

/**
 * What an error of Redis means to the ledger's caller: `ledger.unreachable` where asking again may
 * help, `ledger.invalid` where a person has to act, any other error as it is.
 *
 * @param where host, port and database, without credentials
 */
export function toLedgerError(error: unknown, where: string): unknown {
  if (error instanceof AgentOnceError) return error;
  const refusal = refusalOf(error);
  if (refusal !== undefined) {
    return new AgentOnceError(
      'ledger.invalid',
      `The ledger at ${where} cannot be used: ${refusal}. Nothing was changed. Correct LEDGER_URL, or the server's users.`,
      { cause: error },
    );
  }
  if (error instanceof ErrorReply && TOO_LARGE.test(error.message)) {
    return new AgentOnceError(
      'ledger.value_refused',
      'A value of this step is one that the ledger cannot hold, so the step was not tried again. What was recorded before it is kept. It is larger than Redis takes (proto-max-bulk-len).',
      { cause: error },
    );
  }
  const reason = reasonOf(error);
  if (reason === undefined) return error;
  return new AgentOnceError(
    'ledger.unreachable',
    `The ledger at ${where} does not answer (${reason}). What it has recorded is kept; the step goes on when it is back.`,
    { cause: error },
  );
}

/** First word of what the server said, such as `NOSCRIPT`; `undefined`: it did not say it. */
export function replyCode(error: unknown): string | undefined {
  if (!(error instanceof ErrorReply)) return undefined;
  // Redis 6 puts its own words before the error of a command in a script.
  const inScript = /-([A-Z]{3,}) /.exec(error.message)?.[1];
  return inScript ?? error.message.split(' ', 1)[0];
}

function refusalOf(error: unknown): string | undefined {
  const reply = replyCode(error);
  if (reply !== undefined) {
    if (reply === 'ERR' && /DB index|invalid DB/i.test(String(error))) {
      return 'there is no database of this number';
    }
    if (reply === 'ERR' && /password/i.test(String(error))) return REFUSALS['WRONGPASS'];
    return Object.hasOwn(REFUSALS, reply) ? REFUSALS[reply] : undefined;
  }
  const code = systemCode(error);
  return code !== undefined && TLS_ERROR.test(code)
    ? 'its certificate is not trusted, or it offers no TLS'
    : undefined;
}

function reasonOf(error: unknown): string | undefined {
  const reply = replyCode(error);
  if (reply !== undefined) return UNREACHABLE.includes(reply) ? reply : undefined;
  const code = systemCode(error);
  if (code !== undefined && SYSTEM_ERROR.test(code)) return code;
  const lost = LOST.some((kind) => error instanceof kind);
  return lost && error instanceof Error
    ? `the connection is lost: ${error.constructor.name}`
    : undefined;
}

function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
