import { describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { ErrorReply, SocketClosedUnexpectedlyError } from 'redis';
import { toLedgerError as ofPostgres } from '../../../ledger/postgres/database-error.ts';
import { toLedgerError as ofRedis } from '../redis-error.ts';

/** What a worker's surroundings say, and whether it may help to ask again. */
const POSTGRES: [code: string, message: string, as: 'unreachable' | 'invalid', says: RegExp][] = [
  ['28P01', 'password authentication failed for user "ann"', 'invalid', /user or the password/],
  ['28000', 'role "ann" does not exist', 'invalid', /does not accept the user/],
  [
    '28000',
    'no pg_hba.conf entry for host "1.2.3.4", user "ann", database "d", no encryption',
    'invalid',
    /no connection without TLS.*sslmode.*sslrootcert/,
  ],
  [
    '28000',
    'SSL connection is required. Please specify SSL options and retry.',
    'invalid',
    /no connection without TLS/,
  ],
  [
    '28000',
    'no pg_hba.conf entry for host "1.2.3.4", user "ann", database "d", SSL encryption',
    'invalid',
    /pg_hba\.conf/,
  ],
  [
    '28000',
    'connection requires a valid client certificate',
    'invalid',
    /client certificate.*sslcert/,
  ],
  ['42501', 'permission denied for table steps', 'invalid', /lacks rights/],
  ['3D000', 'database "d" does not exist', 'invalid', /no such database/],
  ['25006', 'cannot execute INSERT in a read-only transaction', 'unreachable', /takes no writes/],
  [
    '0A000',
    'cannot set transaction read-write mode during recovery',
    'unreachable',
    /takes no writes/,
  ],
  ['53100', 'could not extend file', 'unreachable', /disk is full/],
  ['53200', 'out of memory', 'unreachable', /no memory/],
  ['53300', 'sorry, too many clients already', 'unreachable', /no connection left/],
  ['57P01', 'terminating connection due to administrator command', 'unreachable', /shut down/],
  ['57P02', 'terminating connection because of crash', 'unreachable', /shut down/],
  ['57P03', 'the database system is starting up', 'unreachable', /starting or stopping/],
  ['08006', 'connection failure', 'unreachable', /broke off/],
  ['58030', 'could not read block 0', 'unreachable', /disk fail/],
];

const REDIS: [message: string, as: 'unreachable' | 'invalid', says: RegExp][] = [
  ['NOAUTH Authentication required.', 'invalid', /wants a user or a password/],
  ['WRONGPASS invalid username-password pair or user is disabled.', 'invalid', /does not accept/],
  ["NOPERM User ann has no permissions to run the 'evalsha' command", 'invalid', /lacks rights/],
  [
    "ERR The user executing the script can't run this command or subcommand script: 96, on @user_script:78.",
    'invalid',
    /lacks rights/,
  ],
  [
    "ERR ACL failure in script: User ann has no permissions to run the 'hset' command script: 96",
    'invalid',
    /lacks rights/,
  ],
  ['DENIED Redis is running in protected mode', 'invalid', /protected mode/],
  ["READONLY You can't write against a read only replica.", 'unreachable', /takes no writes/],
  [
    "ERR Error running script: @user_script:1: -READONLY You can't write",
    'unreachable',
    /takes no writes/,
  ],
  ['MASTERDOWN Link with MASTER is down', 'unreachable', /lost its primary/],
  ['LOADING Redis is loading the dataset in memory', 'unreachable', /reading its file/],
  ['CLUSTERDOWN The cluster is down', 'unreachable', /cluster is down/],
  ['NOREPLICAS Not enough good replicas to write.', 'unreachable', /too few replicas/],
  ['OOM command not allowed', 'unreachable', /memory is full/],
  ['ERR max number of clients reached', 'unreachable', /maxclients/],
];

/** Of Node, for both: the same network. */
const NETWORK: [code: string, as: 'unreachable' | 'invalid', says: RegExp][] = [
  ['ECONNREFUSED', 'unreachable', /nothing listens there/i],
  ['ENOTFOUND', 'unreachable', /name cannot be resolved/],
  ['EAI_AGAIN', 'unreachable', /name cannot be resolved/],
  ['ETIMEDOUT', 'unreachable', /did not answer in time/],
  ['EHOSTUNREACH', 'unreachable', /no way to it/i],
  ['ECONNRESET', 'unreachable', /broke off/],
  ['EPIPE', 'unreachable', /broke off/],
  ['EMFILE', 'unreachable', /no more connections/],
  ['CERT_HAS_EXPIRED', 'invalid', /certificate has expired/],
  ['CERT_NOT_YET_VALID', 'invalid', /not valid yet/],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'invalid', /CA that is not known/],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'invalid', /CA that is not known/],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'invalid', /CA that is not known/],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'invalid', /CA that is not known/],
  ['INVALID_PURPOSE', 'invalid', /certificate is not valid/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'invalid', /for another name/],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'invalid', /wants a client certificate/],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'invalid', /does not speak TLS/],
];

const WHERE = 'db.example:5432/ledger';

function pgError(code: string, message: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError(message, 0, 'error'), { code });
}

describe('the trouble of a worker’s surroundings is never an error of the step', () => {
  test.each(POSTGRES)('PostgreSQL: %s, %s', (code, message, as, says) => {
    expectLedgerError(ofPostgres(pgError(code, message), WHERE), as, says);
  });

  test.each(REDIS)('Redis: %s', (message, as, says) => {
    expectLedgerError(ofRedis(new ErrorReply(message), WHERE), as, says);
  });

  test.each(NETWORK)('the network: %s', (code, as, says) => {
    const error = Object.assign(new Error(`connect ${code} ann:secret`), { code });
    for (const translate of [ofPostgres, ofRedis]) {
      expectLedgerError(translate(error, WHERE), as, says);
      for (const syscall of ['connect', 'read', 'write', 'getaddrinfo']) {
        expectLedgerError(translate(Object.assign(error, { syscall }), WHERE), as, says);
      }
      // As Node tells it where a name has several addresses, and as libraries wrap it.
      const several = new AggregateError([error, error]);
      expectLedgerError(translate(several, WHERE), as, says);
      expectLedgerError(translate(new Error('failed', { cause: error }), WHERE), as, says);
    }
  });

  test.each([
    'The server does not support SSL connections',
    'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string',
  ])('the driver of PostgreSQL: %s', (message) => {
    expectLedgerError(ofPostgres(new Error(message), WHERE), 'invalid', /TLS|password/);
  });

  test('a session that ends with a word of a pooler', () => {
    const error = new pg.DatabaseError('Max client connections reached', 0, 'error');
    const fatal = Object.assign(error, { code: 'XX000', severity: 'FATAL' });
    expectLedgerError(ofPostgres(fatal, WHERE), 'unreachable', /ended the connection/);
  });

  test('a Redis that hangs up may want TLS', () => {
    const error = new SocketClosedUnexpectedlyError();
    const connecting = { tls: false };
    expectLedgerError(ofRedis(error, WHERE, connecting), 'unreachable', /rediss:\/\//);
  });

  test.each([
    ['PostgreSQL', ofPostgres(pgError('22021', 'invalid byte sequence: ann'), WHERE)],
    ['PostgreSQL', ofPostgres(pgError('54000', 'index row size 2712 exceeds 2704'), WHERE)],
    [
      'Redis',
      ofRedis(
        new ErrorReply('ERR string exceeds maximum allowed size (proto-max-bulk-len)'),
        WHERE,
      ),
    ],
  ])('a value that %s cannot hold is the end of its step, and is not repeated', (_of, found) => {
    expect(found).toMatchObject({ code: 'ledger.value_refused' });
    expect(String(found)).toMatch(/was not tried again\. What was recorded before it is kept\./);
    expect(String(found)).not.toMatch(/ann\b|2712/);
  });

  test('what the ledger itself asked wrongly stays what it is', () => {
    const wrong = Object.assign(new pg.DatabaseError('syntax error', 0, 'error'), {
      code: '42601',
    });
    expect(ofPostgres(wrong, WHERE)).toBe(wrong);
    const unknown = new ErrorReply('ERR unknown command');
    expect(ofRedis(unknown, WHERE)).toBe(unknown);
  });
});

function expectLedgerError(found: unknown, as: 'unreachable' | 'invalid', says: RegExp): void {
  expect(found).toMatchObject({ code: `ledger.${as}`, message: expect.stringMatching(says) });
  expect(String(found)).toContain(WHERE);
  // Neither names nor words of the server's error.
  expect(String(found)).not.toMatch(/ann\b|1\.2\.3\.4|secret/);
}
