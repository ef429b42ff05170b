import type { Effect } from './effects.ts';
import { variableOf, type Names } from './names.ts';

/** A test that passes with the tool as it is written. */
export function testOf(names: Names, effect: Effect): string {
  return effect === 'transactional' ? withDatabase(names) : withServer(names, effect);
}

function withDatabase({ name, file, variable }: Names): string {
  return `
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { createTestContext, runTool } from '../../index.ts';
import { migrateLedger } from '../../ledger/open-ledger.ts';
import { ${variable} } from './${file}.ts';

let database: TestDatabase;
let tx: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrateLedger(database.url, [], path.resolve(import.meta.dirname, '..'));
  tx = new pg.Client(database.url);
  await tx.connect();
});
afterAll(async () => {
  await tx.end();
  await database.drop();
});

test('${name} writes one row, and none where the transaction is rolled back', async () => {
  const count = async () => (await tx.query('SELECT FROM app.${name}')).rowCount;
  await tx.query('BEGIN');
  const ctx = createTestContext(${variable}, { tx });
  expect(await runTool(${variable}, { id: '7' }, ctx)).toEqual({ id: '7' });
  expect(await runTool(${variable}, { id: '7' }, ctx)).toEqual({ error: '7 is there already.' });
  expect(await count()).toBe(1);
  await tx.query('ROLLBACK');
  expect(await count()).toBe(0);
});
`;
}

const NUMBERED = `const number = effects.indexOf(token) + 1;
  response.writeHead(number === 0 ? 404 : 200).end(JSON.stringify({ number }));`;

/** How the other side answers: `request`, `response` and `effects` are there. */
const ANSWERS: Readonly<Record<Exclude<Effect, 'transactional'>, string>> = {
  read: `effects.push(String(request.url));
  response.writeHead(request.url === '/7' ? 200 : 404).end(JSON.stringify({ id: '7' }));`,
  keyed: `const token = String(request.headers['idempotency-key']);
  if (!effects.includes(token)) effects.push(token);
  ${NUMBERED}`,
  reconcile: `const asked = new URL(String(request.url), 'http://other').searchParams.get('reference');
  const token = asked ?? ((await json(request)) as { reference: string }).reference;
  if (request.method === 'POST') effects.push(token);
  ${NUMBERED}`,
  'at-most-once': `const { id } = (await json(request)) as { id: string };
  if (id === '7') effects.push(id);
  response.writeHead(id === '7' ? 200 : Number(id)).end(JSON.stringify({ id }));`,
};

const TESTS: Readonly<Record<Exclude<Effect, 'transactional'>, (names: Names) => string>> = {
  read: ({ name, variable }) => `
test('${name} returns what is there, and tells the model what is not', async () => {
  const read = (id: string) => runTool(${variable}, { id }, createTestContext(${variable}));
  expect(await read('7')).toEqual({ id: '7' });
  expect(await read('8/9')).toEqual({ error: 'There is no 8/9.' });
  expect(effects).toEqual(['/7', '/8%2F9']);
});
`,
  keyed: ({ name, variable }) => `
test('two attempts of ${name} are one effect', async () => {
  const ctx = createTestContext(${variable});
  const first = await runTool(${variable}, { id: '7' }, ctx);
  expect(await runTool(${variable}, { id: '7' }, { ...ctx, attempt: 2 })).toEqual(first);
  expect(effects).toEqual([ctx.token]);
});
`,
  reconcile: ({ name, variable }) => `
test('the effect of ${name} is found by its token', async () => {
  const ctx = createTestContext(${variable});
  const find = () => ('find' in ${variable} ? ${variable}.find({ id: '7' }, ctx) : undefined);
  expect(await find()).toBeUndefined();
  const result = await runTool(${variable}, { id: '7' }, ctx);
  expect(await find()).toEqual(result);
});
`,
  'at-most-once': ({ name, variable }) => `
test('${name} says that nothing happened where that is certain, and only there', async () => {
  const send = (id: string) => runTool(${variable}, { id }, createTestContext(${variable}));
  expect(await send('7')).toEqual({ id: '7' });
  await expect(send('422')).rejects.toThrow(NotApplied);
  await expect(send('503')).rejects.not.toThrow(NotApplied);
  expect(effects).toEqual(['7']);
});
`,
};

function withServer(names: Names, effect: Exclude<Effect, 'transactional'>): string {
  const reads = ['reconcile', 'at-most-once'].includes(effect);
  const imports = effect === 'at-most-once' ? 'createTestContext, NotApplied' : 'createTestContext';
  return `
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
${reads ? "import { json } from 'node:stream/consumers';\n" : ''}import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ${imports}, runTool } from '../../index.ts';
import { ${names.variable} } from './${names.file}.ts';

/** What the other side has done. */
const effects: string[] = [];
${reads ? 'async ' : ''}function answer(request: IncomingMessage, response: ServerResponse): ${reads ? 'Promise<void>' : 'void'} {
  ${ANSWERS[effect]}
}
const server = createServer(${reads ? '(request, response) => void answer(request, response)' : 'answer'});
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  process.env['${variableOf(names)}'] = \`http://127.0.0.1:\${port}\`;
});
afterAll(() => void server.close());
${TESTS[effect](names)}`;
}
