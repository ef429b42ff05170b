/** What kept two programs from speaking with each other. */
export interface ConnectionFailure {
  kind:
    | 'certificate' // of the server: of an unknown CA, expired, for another name
    | 'client-certificate' // the server wants one of us, or another one
    | 'tls' // one side speaks TLS and the other does not
    | 'name' // the host's name does not resolve
    | 'refused'
    | 'timeout'
    | 'network'
    | 'lost' // it was there, and broke off
    | 'limit'; // of this machine
  /** `ECONNREFUSED`, `CERT_HAS_EXPIRED` … */
  code: string;
  /** Half a sentence about the server, without names, addresses or secrets. */
  says: string;
}

const NO_COMMON_TLS = 'the two sides agree on no way of TLS';

type Meaning = readonly [code: RegExp, kind: ConnectionFailure['kind'], says: string];

/** The codes of Node and OpenSSL. The first that fits counts. */
const MEANINGS: readonly Meaning[] = [
  [/^CERT_HAS_EXPIRED$/, 'certificate', 'its certificate has expired'],
  [
    /^CERT_NOT_YET_VALID$/,
    'certificate',
    'its certificate is not valid yet, by the clock of this machine',
  ],
  [/^CERT_REVOKED$/, 'certificate', 'its certificate was revoked'],
  [
    /^(?:ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/,
    'certificate',
    'its certificate is for another name',
  ],
  [
    /^(?:.*SELF_SIGNED_CERT.*|UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF).*|CERT_(?:UNTRUSTED|REJECTED))$/,
    'certificate',
    'its certificate is from a CA that is not known here',
  ],
  [
    /^(?:CERT|CRL|UNABLE_TO|ERROR_IN_CERT|ERR_TLS_CERT|INVALID_(?:CA|PURPOSE)$|PATH_LENGTH_EXCEEDED$)/,
    'certificate',
    'its certificate is not valid',
  ],
  [/^(?:ENOTFOUND|EAI_(?:AGAIN|FAIL|NODATA|NONAME))$/, 'name', 'its name cannot be resolved'],
  [/^(?:ECONNREFUSED|ENOTSOCK)$/, 'refused', 'nothing listens there'],
  [
    /^(?:E(?:SOCKET)?TIMEDOUT|ERR_SOCKET_CONNECTION_TIMEOUT|ERR_TLS_HANDSHAKE_TIMEOUT)$/,
    'timeout',
    'it did not answer in time',
  ],
  [
    /^(?:EHOST(?:UNREACH|DOWN)|ENET(?:UNREACH|DOWN)|EADDRNOTAVAIL)$/,
    'network',
    'there is no way to it from here',
  ],
  [/^(?:EACCES|EPERM)$/, 'network', 'this machine does not allow the connection'],
  [/^(?:ECONNRESET|ECONNABORTED|ENETRESET|ENOTCONN|EPIPE)$/, 'lost', 'the connection broke off'],
  [/^(?:EMFILE|ENFILE|ENOBUFS|ENOMEM)$/, 'limit', 'this machine can open no more connections'],
  [
    /^ERR_SSL_.*(?:CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_(?:UNKNOWN|REVOKED|EXPIRED)|UNKNOWN_CA|ACCESS_DENIED)$/,
    'client-certificate',
    'it wants a client certificate, or does not accept the one that it was given',
  ],
  [/^ERR_SSL_.*ALERT/, 'tls', NO_COMMON_TLS],
  [/^(?:ERR_SSL_|EPROTO$)/, 'tls', 'it does not speak TLS'],
  [/^E(?!RR_)[A-Z_]{3,}$/, 'network', 'the network does not let it be reached'],
];

const DEPTH = 6;

/**
 * What an error of Node's network says, wherever in its causes it stands; `undefined`: it is about
 * something else.
 */
export function connectionFailure(error: unknown): ConnectionFailure | undefined {
  return search(error, DEPTH);
}

function search(error: unknown, depth: number): ConnectionFailure | undefined {
  if (depth === 0 || typeof error !== 'object' || error === null) return undefined;
  const { code, cause, errors, syscall, message } = error as {
    [name in 'code' | 'cause' | 'errors' | 'syscall' | 'message']?: unknown;
  };
  const own = typeof code === 'string' ? ofCode(code, syscall, message) : undefined;
  if (own) return own;
  // Of a name with several addresses there is an error for each.
  const others = Array.isArray(errors) ? errors : [];
  for (const each of [...others, cause]) {
    const found = search(each, depth - 1);
    if (found) return found;
  }
  return undefined;
}

function ofCode(code: string, syscall: unknown, message: unknown): ConnectionFailure | undefined {
  // Files have some of these codes too.
  if (syscall === 'open') return undefined;
  if (code === 'ENOENT' && syscall === 'connect') {
    return { kind: 'refused', code, says: 'there is no such socket' };
  }
  const [, kind, says] = MEANINGS.find(([pattern]) => pattern.test(code)) ?? [];
  if (kind === undefined || says === undefined) return undefined;
  // Of a protocol error, the text alone says that the other side speaks TLS.
  const alert = kind === 'tls' && /alert/i.test(String(message));
  return { kind, code, says: alert ? NO_COMMON_TLS : says };
}

export function asSentence({ says }: ConnectionFailure): string {
  return `${says.charAt(0).toUpperCase()}${says.slice(1)}.`;
}
