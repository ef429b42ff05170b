import { afterAll, beforeAll } from '@jest/globals';
import { openLedger } from '../../../ledger/open-ledger.ts';
import type { Ledger } from '../../../ledger/port.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { describeWrongKey } from './wrong-key-contract.ts';

let database: TestDatabase;
let ledger: Ledger;

beforeAll(async () => {
  database = await createTestDatabase();
  ledger = await openLedger(database.url);
});
afterAll(async () => {
  await ledger.close();
  await database.drop();
});

describeWrongKey('PostgreSQL', () => ledger);
