import { afterEach, describe, expect, test } from '@jest/globals';
import { chaos, stopChaos } from '../run-chaos.ts';

afterEach(stopChaos);

// Not one of these has a second try: a fault that is named happens, and waits for what the ledger
// shows of the step, never for a time in which the damage is likely.
describe.each([
  { lane: 'standard', of: (tool: string) => tool },
  { lane: 'fast', of: (tool: string) => `fast_${tool}` },
])('npm run chaos, where a protection is switched off, in the $lane lane', ({ of }) => {
  test('notices that keyed tools get another token in each attempt', async () => {
    const { code, report } = await chaos(
      `--runs 4 --workers 1 --faults after-effect:${of('charge')}`,
      {
        CHAOS_NO_TOKENS: 'on',
      },
    );
    expect({ code, missed: report.missed }).toEqual({ code: 1, missed: [] });
    expect(report.findings).toContainEqual(
      expect.objectContaining({
        what: 'doubled',
        class: 'keyed',
        where: expect.stringMatching(new RegExp(` ${of('charge')}$`)),
      }),
    );
    expect(report.findings).toContainEqual(expect.objectContaining({ what: 'model-stranger' }));
  });

  test('notices that nobody checks the fence', async () => {
    const { code, report, text } = await chaos(
      `--runs 4 --workers 2 --faults zombie:${of('note')}`,
      { CHAOS_NO_FENCE: 'on' },
    );
    expect({ code, missed: report.missed }).toEqual({ code: 1, missed: [] });
    expect(report.findings).toContainEqual(
      expect.objectContaining({
        what: 'doubled',
        class: 'transactional',
        where: expect.stringMatching(new RegExp(` ${of('note')}$`)),
      }),
    );
    expect(text).toMatch(/promises? (was|were) broken/);
  });

  test('notices that every claim is granted', async () => {
    const { code, report } = await chaos(
      `--runs 4 --workers 1 --faults after-record:${of('send')},after-record:model`,
      { CHAOS_NO_CLAIM: 'on' },
    );
    expect({ code, missed: report.missed }).toEqual({ code: 1, missed: [] });
    expect(report.findings).toContainEqual(
      expect.objectContaining({
        what: 'doubled',
        class: 'at-most-once',
        where: expect.stringMatching(new RegExp(` ${of('send')}$`)),
      }),
    );
    expect(report.findings).toContainEqual(expect.objectContaining({ what: 'model-paid-again' }));
  });
});
