import { describe, expect, test } from '@jest/globals';
import { failureOf } from '../../../activities/step/failures.ts';
import { toLedgerError as toPostgresError } from '../../../ledger/postgres/database-error.ts';
import { toLedgerError as toRedisError } from '../redis-error.ts';

describe('what a run keeps of an error of the ledger names no server:', () => {
  const POSTGRES = [
    '08006',
    '08P01',
    '22P05',
    '28P01',
    '28000',
    '3D000',
    '42501',
    '53100',
    '57P03',
  ];
  const SYSTEM = ['ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT', 'CERT_HAS_EXPIRED'];
  const WHERE = ['db.inside:5432/agent_once', 'the local socket/agent_once', '[fd00::1]:6379/0'];

  test.each([...POSTGRES, ...SYSTEM])('%s', (code) => {
    for (const where of WHERE) {
      for (const translate of [toPostgresError, toRedisError]) {
        const error = Object.assign(new Error('refused'), { code });
        const { message } = failureOf(translate(error, where), 'step.failed');
        for (const part of ['inside', 'socket', 'fd00', '6379', '5432']) {
          expect(message).not.toContain(part);
        }
      }
    }
  });
});
