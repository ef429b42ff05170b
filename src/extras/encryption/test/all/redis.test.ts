import { afterAll, beforeAll } from '@jest/globals';
import { openLedger } from '../../../../ledger/open-ledger.ts';
import type { Ledger } from '../../../../ledger/port.ts';
import { startRedis, type RedisServer } from '../../../../../test/support/redis-server.ts';
import { describeWrongKey } from '../wrong-key-contract.ts';

let server: RedisServer;
let ledger: Ledger;

beforeAll(async () => {
  server = await startRedis();
  ledger = await openLedger(server.url);
});
afterAll(async () => {
  await ledger.close();
  await server.stop();
});

describeWrongKey('Redis', () => ledger);
