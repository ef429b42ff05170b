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
import {
  ledgerAway,
  ledgerRefused,
  networkError,
  valueRefused,
  type NetworkAdvice,
} from '../../ledger/ledger-errors.ts';

/** What a server says that answers, but not to us: a person has to change something. */
const REFUSED: readonly (readonly [reply: RegExp, says: string])[] = [
  [/^NOAUTH /, 'it wants a user or a password'],
  [/^ERR .*(DB index|invalid DB)/i, 'there is no database of this number'],
  [/^(WRONGPASS |ERR .*password)/i, 'it does not accept the user or the password'],
  [
    /^NOPERM /,
    'its user lacks rights, and needs ~agent_once:* +@read +@write +@scripting +@connection +time',
  ],
  [/^DENIED /, 'it is in protected mode, and lets in this machine alone: set a password in it'],
  [
    /^(MOVED|ASK|CROSSSLOT) /,
    'it is a Redis Cluster, and the ledger needs one server with all keys',
  ],
];
/** What a server says after which asking again later may help: nothing was decided. */
const AWAY: readonly (readonly [reply: RegExp, says: string])[] = [
  [/^LOADING /, 'It is reading its file after a start.'],
  [/^OOM /, 'Its memory is full, and nothing may be evicted.'],
  [/^MISCONF /, 'It cannot write its file.'],
  [/^READONLY /, 'It takes no writes: it is a replica.'],
  [/^MASTERDOWN /, 'It is a replica that has lost its primary.'],
  [/^NOREPLICAS /, 'It has too few replicas to take writes.'],
  [/^BUSY /, 'Another script is running.'],
  [/^TRYAGAIN /, 'Its keys are being moved.'],
  [/^CLUSTERDOWN /, 'Its cluster is down.'],
  [/^UNBLOCKED /, 'It has changed its role.'],
  [/max number of clients/i, 'It has no connection left: raise its maxclients.'],
];
/** Another server may have taken over under the same name, or take our credentials by now. */
const OF_THIS_SERVER =
  /^(LOADING|READONLY|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|UNBLOCKED|NOAUTH|WRONGPASS|NOPERM)$/;
const URL_OR_USERS = "Correct LEDGER_URL, or the server's users.";
const OF_NETWORK: NetworkAdvice = {
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
  if (error instanceof ErrorReply) return ofReply(error, where);
  const doubt = doubtOfTls(connecting);
  const ofNetwork = networkError(error, where, OF_NETWORK, doubt);
  if (ofNetwork) return ofNetwork;
  const lost = LOST.find((kind) => error instanceof kind);
  if (lost === undefined) return error;
  const says = lost === SocketClosedUnexpectedlyError ? doubt : '';
  return ledgerAway(where, `the connection is lost: ${lost.name}`, says, error);
}

function ofReply(error: ErrorReply, where: string): unknown {
  const code = replyCode(error) ?? '';
  const said = `${code} ${error.message}`;
  const refused = REFUSED.find(([reply]) => reply.test(said));
  if (refused) return ledgerRefused(where, refused[1], URL_OR_USERS, error);
  if (error.message.includes('string exceeds maximum allowed size')) {
    return valueRefused('It is larger than Redis takes (proto-max-bulk-len).', error);
  }
  const away = AWAY.find(([reply]) => reply.test(said));
  return away ? ledgerAway(where, code, away[1], error) : error;
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
  return OF_THIS_SERVER.test(replyCode(error) ?? '');
}

/** Redis does not answer in TLS what it cannot read: it hangs up, or waits for the rest. */
function doubtOfTls(connecting: { tls: boolean } | undefined): string {
  if (connecting === undefined) return '';
  return connecting.tls
    ? 'Where that stays so: is it without TLS, which is redis:// in LEDGER_URL?'
    : 'Where that stays so: does it want TLS, which is rediss:// in LEDGER_URL?';
}
