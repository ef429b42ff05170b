import { connectionFailure } from '../../contract/connection-failure.ts';
import type { Refusal } from '../ledger-errors.ts';

const URL_OR_USERS = "Correct LEDGER_URL, or the database's users.";
const NO_PASSWORD = 'the password is missing or wrong';
const NEEDS_TLS: Refusal = {
  says: 'it takes no connection without TLS of this user from here (28000)',
  advice:
    'Add ?sslmode=verify-full to LEDGER_URL, and &sslrootcert=FILE where the certificate is from a CA of its own. Where that does not help, its pg_hba.conf has no entry for this user.',
};
const CERTIFICATE_ADVICE =
  'Name the file of the CA with sslrootcert in LEDGER_URL, or correct the host or the certificate; sslmode=no-verify encrypts without a check.';
const CLIENT_CERTIFICATE_ADVICE = 'Name the files of sslcert and sslkey in LEDGER_URL.';
const NO_TLS: Refusal = {
  says: 'it offers no TLS, and LEDGER_URL asks for it',
  advice: 'Leave sslmode out of LEDGER_URL, or switch TLS on in the server.',
};

/** `undefined`: it is no refusal. */
export function refusalOf(error: unknown): Refusal | undefined {
  const failure = connectionFailure(error);
  if (failure) {
    const says = `${failure.says} (${failure.code})`;
    if (failure.kind === 'certificate') return { says, advice: CERTIFICATE_ADVICE };
    if (failure.kind === 'client-certificate') return { says, advice: CLIENT_CERTIFICATE_ADVICE };
    if (failure.kind === 'tls') return { says, advice: 'Correct sslmode in LEDGER_URL.' };
    return undefined;
  }
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string') return ofDriver(error.message);
  if (code === '3D000') return { says: 'there is no such database (3D000)', advice: URL_OR_USERS };
  if (code === '28P01') {
    return {
      says: 'it does not accept the user or the password (28P01)',
      advice: URL_OR_USERS,
    };
  }
  return code.startsWith('28') ? ofAuthorization(code, error.message) : undefined;
}

/** Errors of `pg` that carry no code. */
function ofDriver(message: string): Refusal | undefined {
  if (message.startsWith('SASL: ')) return { says: NO_PASSWORD, advice: URL_OR_USERS };
  return message.startsWith('The server does not support SSL') ? NO_TLS : undefined;
}

/** 28000 has many reasons, which stand in its message alone. The names in it are not repeated. */
function ofAuthorization(code: string, message: string): Refusal {
  if (/no encryption|SSL off|SSL connection is required|insecure|sslmode/i.test(message)) {
    return NEEDS_TLS;
  }
  if (/client certificate/i.test(message)) {
    return { says: `it wants a client certificate (${code})`, advice: CLIENT_CERTIFICATE_ADVICE };
  }
  if (message.includes('pg_hba.conf')) {
    return {
      says: `its pg_hba.conf has no entry that lets this host and user into this database (${code})`,
      advice:
        'Correct LEDGER_URL, or add the entry. Where the entries are for TLS alone, add ?sslmode=verify-full to LEDGER_URL.',
    };
  }
  return { says: `it does not accept the user (${code})`, advice: URL_OR_USERS };
}
