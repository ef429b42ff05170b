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
import {
  asSentence,
  connectionFailure,
  type ConnectionFailure,
} from '../../contract/connection-failure.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import {
  ledgerAway,
  ledgerRefused,
  valueRefused,
  type Refusal,
} from '../../ledger/ledger-errors.ts';

/** Errors of the server after which asking again later may help: nothing was decided. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  LOADING: 'It is reading its file after a start.',
  OOM: 'Its memory is full, and nothing may be evicted.',
  MISCONF: 'It cannot write its file.',
  READONLY: 'It takes no writes: it is a replica.',
  MASTERDOWN: 'It is a replica that has lost its primary.',
  NOREPLICAS: 'It has too few replicas to take writes.',
  BUSY: 'Another script is running.',
  TRYAGAIN: 'Its keys are being moved.',
  CLUSTERDOWN: 'Its cluster is down.',
  UNBLOCKED: 'It has changed its role.',
};
/** Another server may have taken over under the same name, or take our credentials by now. */
const OF_THIS_SERVER = [
  'LOADING',
  'READONLY',
  'MASTERDOWN',
  'NOREPLICAS',
  'CLUSTERDOWN',
  'UNBLOCKED',
  'NOAUTH',
  'WRONGPASS',
  'NOPERM',
];
const TOO_LARGE = /string exceeds maximum allowed size/;
const IN_A_CLUSTER = 'it is a Redis Cluster, and the ledger needs one server with all keys';
/** The server answers, but not to us: a person has to change something. */
const REFUSALS: Readonly<Record<string, string>> = {
  NOAUTH: 'it wants a user or a password',
  WRONGPASS: 'it does not accept the user or the password',
  NOPERM:
    'its user lacks rights, and needs ~agent_once:* +@read +@write +@scripting +@connection +time',
  DENIED: 'it is in protected mode, and lets in this machine alone: set a password in it',
  MOVED: IN_A_CLUSTER,
  ASK: IN_A_CLUSTER,
  CROSSSLOT: IN_A_CLUSTER,
};
const URL_OR_USERS = "Correct LEDGER_URL, or the server's users.";
const TLS_ADVICE: Partial<Record<ConnectionFailure['kind'], string>> = {
  certificate:
    'Name the file of the CA with NODE_EXTRA_CA_CERTS, or correct the host in LEDGER_URL or the certificate.',
  'client-certificate':
    'A Redis ledger has no client certificate: set tls-auth-clients in the server to no or optional.',
  tls: 'Write redis:// in LEDGER_URL, or switch TLS on in the server.',
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
/** `ERR max number of clients reached`. */
const LIMIT = /max number of clients/i;
/** What Redis 7.0, and since 7.2, says of a script that has no right to one of its commands or keys. */
const REFUSED_IN_SCRIPT = /^ERR (?:The user executing the script|ACL failure in script)/;

/**
 * What an error of Redis means to the ledger's caller: `ledger.unreachable` where asking again may
 * help, `ledger.invalid` where a person has to act, any other error as it is.
 *
 * @param where host, port and database, without credentials
 * @param connecting where the connection could not be made: whether with TLS
 */
export function toLedgerError(
  error: unknown,
  where: string,
  connecting?: { tls: boolean },
): unknown {
  if (error instanceof AgentOnceError) return error;
  const refusal = refusalOf(error);
  if (refusal !== undefined) return ledgerRefused(where, refusal, error);
  if (error instanceof ErrorReply && TOO_LARGE.test(error.message)) {
    return valueRefused('It is larger than Redis takes (proto-max-bulk-len).', error);
  }
  const reason = reasonOf(error, connecting);
  return reason === undefined ? error : ledgerAway(where, reason, error);
}

/** First word of what the server said, such as `NOSCRIPT`; `undefined`: it did not say it. */
export function replyCode(error: unknown): string | undefined {
  if (!(error instanceof ErrorReply)) return undefined;
  // Of a command in a script, Redis 7 says ERR.
  if (REFUSED_IN_SCRIPT.test(error.message)) return 'NOPERM';
  // Redis 6 puts its own words before the error of a command in a script.
  const inScript = /-([A-Z]{3,}) /.exec(error.message)?.[1];
  return inScript ?? error.message.split(' ', 1)[0];
}

/** Whether another connection may come to a server that gives another answer. */
export function isOfThisServer(error: unknown): boolean {
  const reply = replyCode(error);
  return reply !== undefined && OF_THIS_SERVER.includes(reply);
}

function refusalOf(error: unknown): Refusal | undefined {
  const reply = replyCode(error);
  if (reply !== undefined) {
    const says = refusalOfReply(reply, String(error));
    return says === undefined ? undefined : { says, advice: URL_OR_USERS };
  }
  const failure = connectionFailure(error);
  const advice = failure && TLS_ADVICE[failure.kind];
  return advice === undefined ? undefined : { says: `${failure?.says} (${failure?.code})`, advice };
}

function refusalOfReply(reply: string, message: string): string | undefined {
  if (reply === 'ERR') {
    if (/DB index|invalid DB/i.test(message)) return 'there is no database of this number';
    return /password/i.test(message) ? REFUSALS['WRONGPASS'] : undefined;
  }
  return Object.hasOwn(REFUSALS, reply) ? REFUSALS[reply] : undefined;
}

function reasonOf(
  error: unknown,
  connecting: { tls: boolean } | undefined,
): { code: string; says: string } | undefined {
  const reply = replyCode(error);
  if (reply !== undefined) {
    const says = Object.hasOwn(UNREACHABLE, reply) ? UNREACHABLE[reply] : undefined;
    if (says !== undefined) return { code: reply, says: `${says} ` };
    return LIMIT.test(String(error))
      ? { code: reply, says: 'It has no connection left: raise its maxclients. ' }
      : undefined;
  }
  const failure = connectionFailure(error);
  if (failure) {
    const doubt = ['lost', 'timeout'].includes(failure.kind) ? doubtOfTls(connecting) : '';
    return { code: failure.code, says: `${asSentence(failure)} ${doubt}` };
  }
  const lost = LOST.some((kind) => error instanceof kind);
  if (!lost || !(error instanceof Error)) return undefined;
  const says = error instanceof SocketClosedUnexpectedlyError ? doubtOfTls(connecting) : '';
  return { code: `the connection is lost: ${error.constructor.name}`, says };
}

/** Redis does not answer in TLS what it cannot read: it hangs up, or waits for the rest. */
function doubtOfTls(connecting: { tls: boolean } | undefined): string {
  if (connecting === undefined) return '';
  return connecting.tls
    ? 'Where that stays so: is it without TLS, which is redis:// in LEDGER_URL? '
    : 'Where that stays so: does it want TLS, which is rediss:// in LEDGER_URL? ';
}
