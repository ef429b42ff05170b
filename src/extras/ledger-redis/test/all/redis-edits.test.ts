import { afterAll, beforeAll, describe } from '@jest/globals';
import { testEditedCrashes } from '../../../../../test/all/run/edited-crashes.ts';
import { startRedis, type RedisServer } from '../../../../../test/support/redis-server.ts';
import { startTestSystem, type TestSystem } from '../../../../../test/support/system.ts';

describe('a call with changed arguments on a Redis ledger:', () => {
  let redis: RedisServer;
  let system: TestSystem;
  beforeAll(async () => {
    redis = await startRedis();
    system = await startTestSystem(undefined, redis.url);
  });
  afterAll(async () => {
    await (system as TestSystem | undefined)?.close();
    await (redis as RedisServer | undefined)?.stop();
  });

  testEditedCrashes(() => system, { TEST_WITHOUT_EFFECTS: 'transactional,at-most-once' });
});
