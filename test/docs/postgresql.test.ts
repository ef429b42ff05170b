import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { grantsFor, grantsOnApp, type LedgerUser } from '../../src/ledger/postgres/rights.ts';
import { ROOT } from '../structure/checkout-copy.ts';

const text = readFileSync(join(ROOT, 'docs/postgresql.md'), 'utf8');
const blocks = [...text.matchAll(/^```sql\n([\s\S]*?)^```$/gm)].map(([, sql]) => sql?.trim());

test.each<[LedgerUser, string]>([
  ['worker', 'agent_once_worker'],
  ['service', 'agent_once_service'],
  ['api-keys', 'agent_once_operator'],
  ['keeper', 'agent_once_keeper'],
])('the statements for %s are those that are checked', (user, role) => {
  expect(blocks).toContain(grantsFor(user, role).join('\n'));
});

test("the statements for the app's own tables are those that --grant-to makes", () => {
  expect(blocks).toContain(grantsOnApp('agent_once_worker').join('\n'));
});
