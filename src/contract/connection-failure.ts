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

const UNKNOWN_CA = 'its certificate is from a CA that is not known here';
const OTHER_NAME = 'its certificate is for another name';
const NOT_VALID = 'its certificate is not valid';

/** Codes with which OpenSSL, and so Node, refuses a server's certificate. */
const CERTIFICATES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet, by the clock of this machine',
  CERT_REVOKED: 'its certificate was revoked',
  ERR_TLS_CERT_ALTNAME_INVALID: OTHER_NAME,
  HOSTNAME_MISMATCH: OTHER_NAME,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_CA,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_CA,
  CERT_UNTRUSTED: UNKNOWN_CA,
  CERT_REJECTED: UNKNOWN_CA,
  CERT_CHAIN_TOO_LONG: NOT_VALID,
  CERT_SIGNATURE_FAILURE: NOT_VALID,
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: NOT_VALID,
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: NOT_VALID,
  ERROR_IN_CERT_NOT_BEFORE_FIELD: NOT_VALID,
  ERROR_IN_CERT_NOT_AFTER_FIELD: NOT_VALID,
  ERR_TLS_CERT_ALTNAME_FORMAT: NOT_VALID,
  UNABLE_TO_GET_CRL: NOT_VALID,
  CRL_HAS_EXPIRED: NOT_VALID,
  CRL_NOT_YET_VALID: NOT_VALID,
  CRL_SIGNATURE_FAILURE: NOT_VALID,
  INVALID_CA: NOT_VALID,
  INVALID_PURPOSE: NOT_VALID,
  PATH_LENGTH_EXCEEDED: NOT_VALID,
};

type Known = readonly [ConnectionFailure['kind'], string];
const NO_NAME: Known = ['name', 'its name cannot be resolved'];
const REFUSED: Known = ['refused', 'nothing listens there'];
const TIMEOUT: Known = ['timeout', 'it did not answer in time'];
const NO_WAY: Known = ['network', 'there is no way to it from here'];
const FORBIDDEN: Known = ['network', 'this machine does not allow the connection'];
const LOST: Known = ['lost', 'the connection broke off'];
const FULL: Known = ['limit', 'this machine can open no more connections'];

const SYSTEM: Readonly<Record<string, Known>> = {
  ENOTFOUND: NO_NAME,
  EAI_AGAIN: NO_NAME,
  EAI_FAIL: NO_NAME,
  EAI_NODATA: NO_NAME,
  EAI_NONAME: NO_NAME,
  ECONNREFUSED: REFUSED,
  ENOTSOCK: REFUSED,
  ETIMEDOUT: TIMEOUT,
  ESOCKETTIMEDOUT: TIMEOUT,
  ERR_SOCKET_CONNECTION_TIMEOUT: TIMEOUT,
  ERR_TLS_HANDSHAKE_TIMEOUT: TIMEOUT,
  EHOSTUNREACH: NO_WAY,
  EHOSTDOWN: NO_WAY,
  ENETUNREACH: NO_WAY,
  ENETDOWN: NO_WAY,
  EADDRNOTAVAIL: NO_WAY,
  EACCES: FORBIDDEN,
  EPERM: FORBIDDEN,
  ECONNRESET: LOST,
  ECONNABORTED: LOST,
  ENETRESET: LOST,
  ENOTCONN: LOST,
  EPIPE: LOST,
  EMFILE: FULL,
  ENFILE: FULL,
  ENOBUFS: FULL,
  ENOMEM: FULL,
};

const CLIENT_CERTIFICATE =
  /^ERR_SSL_.*(?:CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_(?:UNKNOWN|REVOKED|EXPIRED)|UNKNOWN_CA|ACCESS_DENIED)$/;
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
  if (Object.hasOwn(CERTIFICATES, code)) {
    return { kind: 'certificate', code, says: CERTIFICATES[code] ?? NOT_VALID };
  }
  const known = Object.hasOwn(SYSTEM, code) ? SYSTEM[code] : undefined;
  // Files have some of these codes too.
  if (syscall === 'open') return undefined;
  if (known) return { kind: known[0], code, says: known[1] };
  if (code === 'ENOENT' && syscall === 'connect') {
    return { kind: 'refused', code, says: 'there is no such socket' };
  }
  if (CLIENT_CERTIFICATE.test(code)) {
    const says = 'it wants a client certificate, or does not accept the one that it was given';
    return { kind: 'client-certificate', code, says };
  }
  if (/^ERR_SSL_|^EPROTO$/.test(code)) {
    const alert = code.includes('ALERT') || /alert/i.test(String(message));
    const says = alert ? 'the two sides agree on no way of TLS' : 'it does not speak TLS';
    return { kind: 'tls', code, says };
  }
  return /^E(?!RR_)[A-Z_]{3,}$/.test(code)
    ? { kind: 'network', code, says: 'the network does not let it be reached' }
    : undefined;
}

export function asSentence({ says }: ConnectionFailure): string {
  return `${says.charAt(0).toUpperCase()}${says.slice(1)}.`;
}
