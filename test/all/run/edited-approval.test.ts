import { afterAll, beforeAll, describe } from '@jest/globals';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { testEditedCrashes } from './edited-crashes.ts';

describe.each(['standard', 'fast'])('a call with changed arguments in the %s lane:', (lane) => {
  let system: TestSystem;
  beforeAll(async () => {
    if (lane === 'fast') process.env['TEST_LANE'] = lane;
    system = await startTestSystem();
  });
  afterAll(async () => {
    delete process.env['TEST_LANE'];
    await (system as TestSystem | undefined)?.close();
  });

  testEditedCrashes(() => system);
});
