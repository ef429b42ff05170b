import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { openApiKeys } from '../api-keys/postgres-api-keys.ts';
import type { ApiKeys } from '../api-keys/port.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { eventually } from '../../../../test/support/eventually.ts';

let database: TestDatabase;
/** Of a service, and of whoever makes and revokes keys: processes of their own elsewhere. */
let service: ApiKeys;
let operator: ApiKeys;
let key: string;
let prefix: string;

beforeAll(async () => {
  database = await createTestDatabase();
  operator = await openApiKeys(database.url);
  service = await openApiKeys(database.url);
});
afterAll(async () => {
  await service?.close();
  await operator?.close();
  await database?.drop();
});
beforeEach(async () => {
  const made = await operator.create({ tenant: 'acme', scopes: ['start'], name: 'test' });
  key = made.key;
  prefix = made.record.prefix;
});

test('once a key is revoked nobody accepts it, not even who did so a moment before', async () => {
  expect(await service.authenticate(key)).toMatchObject({ tenant: 'acme', keyPrefix: prefix });
  const revoking = operator.revoke(prefix);
  // Whoever has just accepted it goes on doing so until the revoking is over.
  let over = false;
  const done = revoking.finally(() => (over = true));
  while (!over) await service.authenticate(key);
  expect(await done).toBe(true);
  expect(await service.authenticate(key)).toBeUndefined();
});

test('a key that was good is remembered for a moment, and no longer', async () => {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    // Again where the machine was so slow that the moment was over.
    const remembered = await eventually(async () => {
      const made = await operator.create({ tenant: 'acme', scopes: ['start'], name: 'test' });
      expect(await service.authenticate(made.key)).toBeDefined();
      const { prefix: of } = made.record;
      await client.query('DELETE FROM agent_once.api_keys WHERE prefix = $1', [of]);
      expect(await service.authenticate(made.key)).toBeDefined();
      return made.key;
    });
    await eventually(async () => expect(await service.authenticate(remembered)).toBeUndefined());
  } finally {
    await client.end();
  }
});

test('who knows the beginning of a key that was good has nothing of it', async () => {
  expect(await service.authenticate(key)).toBeDefined();
  expect(await service.authenticate(`${prefix}_${'x'.repeat(43)}`)).toBeUndefined();
});
