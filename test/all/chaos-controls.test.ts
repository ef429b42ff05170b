import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { chaos, stopChaos } from '../chaos/run-chaos.ts';

// On a busy machine a paused process may wake too late to do harm: then it gets another chance.
jest.retryTimes(2);
afterEach(stopChaos);

describe('npm run chaos, where a protection is switched off,', () => {
  test('notices that keyed tools get another token in each attempt', async () => {
    const { code, report } = await chaos(
      '--runs 4 --workers 1 --faults after-effect:charge,after-effect:charge',
      { AGENT_ONCE_TEST_NO_TOKENS: 'on' },
    );
    expect(code).toBe(1);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ what: 'doubled', class: 'keyed' }),
    );
    expect(report.findings).toContainEqual(expect.objectContaining({ what: 'model-stranger' }));
  });

  test('notices that nobody checks the fence', async () => {
    const { code, report, text } = await chaos(
      '--runs 4 --workers 2 --faults zombie:note,zombie:note,zombie:note',
      { AGENT_ONCE_TEST_NO_FENCE: 'on' },
    );
    expect(code).toBe(1);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ what: 'doubled', class: 'transactional' }),
    );
    expect(text).toMatch(/promises? (was|were) broken/);
  });

  test('notices that every claim is granted', async () => {
    const { code, report } = await chaos(
      '--runs 4 --workers 1 --faults after-record:send,before-report:send,after-record:model',
      { AGENT_ONCE_TEST_NO_CLAIM: 'on' },
    );
    expect(code).toBe(1);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ what: 'doubled', class: 'at-most-once' }),
    );
    expect(report.findings).toContainEqual(expect.objectContaining({ what: 'model-paid-again' }));
  });
});
