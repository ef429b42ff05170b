import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SEARCH_ATTRIBUTES } from '../../../contract/names.ts';
import {
  createTestDatabase,
  queryOnce,
  type TestDatabase,
} from '../../../../test/support/database.ts';
import { connectTestClient, type TestClient } from '../../../../test/support/servers.ts';

describe('the servers that all suites share', () => {
  let temporal: TestClient;
  const databases: TestDatabase[] = [];
  let prepared = 0;

  beforeAll(async () => {
    temporal = await connectTestClient();
  });
  afterAll(async () => {
    await temporal.close();
    for (const database of databases) await database.drop();
  });

  test('Temporal has our search attributes', async () => {
    const known = await temporal.connection.operatorService.listSearchAttributes({
      namespace: 'default',
    });
    expect(Object.keys(known.customAttributes ?? {})).toEqual(
      expect.arrayContaining(Object.keys(SEARCH_ATTRIBUTES)),
    );
  });

  test('a template database is prepared once and cloned', async () => {
    const template = {
      name: 'template_harness',
      prepare: async (url: string) => {
        prepared++;
        await queryOnce(url, 'CREATE TABLE marker AS SELECT 42 AS value');
      },
    };
    const [one, two] = await Promise.all([
      createTestDatabase(template),
      createTestDatabase(template),
    ]);
    databases.push(one, two);
    expect(prepared).toBe(1);
    await queryOnce(one.url, 'UPDATE marker SET value = 1');
    expect(await queryOnce(one.url, 'SELECT value FROM marker')).toEqual([{ value: 1 }]);
    expect(await queryOnce(two.url, 'SELECT value FROM marker')).toEqual([{ value: 42 }]);
  });
});
