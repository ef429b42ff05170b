import net from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Ledger } from '../../src/ledger/port.ts';
import { createPostgresLedger } from '../../src/ledger/postgres/postgres-ledger.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { again, claimed, plannedStep, stepClaim } from './steps.ts';

let database: TestDatabase;
let proxy: net.Server;
let ledger: Ledger;
/** `ReadyForQuery` messages seen: the server sends one at the end of each round trip. */
let roundTrips = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  const url = new URL(database.url);
  const target = { host: url.hostname, port: Number(url.port) };
  proxy = net.createServer((client) => {
    const upstream = net.connect(target);
    let rest = Buffer.alloc(0);
    client.pipe(upstream);
    upstream.on('data', (data) => {
      rest = Buffer.concat([rest, data]);
      // A message is one byte of type, then its length without that byte.
      while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
        if (String.fromCharCode(rest[0] ?? 0) === 'Z') roundTrips += 1;
        rest = rest.subarray(rest.readUInt32BE(1) + 1);
      }
      client.write(data);
    });
    for (const socket of [client, upstream]) {
      socket.on('error', () => {});
      socket.on('close', () => (client.destroy(), upstream.destroy()));
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  url.port = String((proxy.address() as net.AddressInfo).port);
  ledger = await createPostgresLedger(url.href);
  // The connection that the statements below go through.
  await ledger.complete(await claimed(ledger, stepClaim()), { result: null });
});
afterAll(async () => {
  await ledger?.close();
  proxy?.close();
  await database?.drop();
});

async function roundTripsOf(ask: () => Promise<unknown>): Promise<number> {
  const before = roundTrips;
  await ask();
  return roundTrips - before;
}

test('a claim is one round trip, whatever it is told', async () => {
  const step = stepClaim({ request: { order: 1042 } });
  expect(await roundTripsOf(() => ledger.claim(step))).toBe(1);
  expect(await roundTripsOf(() => ledger.claim(again(step)))).toBe(1);
});

test('a completion is one round trip, with the calls that it plans', async () => {
  const claim = await claimed(ledger, stepClaim({ step: 't1.model', kind: 'model', effect: null }));
  const completion = { result: { answer: 1 }, planned: [plannedStep(0), plannedStep(1)] };
  expect(await roundTripsOf(() => ledger.complete(claim, completion))).toBe(1);
  expect(await roundTripsOf(() => ledger.complete(claim, completion))).toBe(1);
});

test('so is every other word about a claim', async () => {
  const claim = await claimed(ledger, stepClaim({ effect: 'at-most-once' }));
  const error = { code: 'tool.failed', message: 'cut' };
  expect(await roundTripsOf(() => ledger.renew(claim))).toBe(1);
  expect(await roundTripsOf(() => ledger.endUnknown(claim, error))).toBe(1);
  expect(await roundTripsOf(() => ledger.fail(claim, error))).toBe(1);
});
