import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { untilAsked } from './decide-over-http.ts';
import { startHttpSuite, type HttpSuite } from './support/http-suite.ts';
import { calls, script } from '../../../../test/support/system.ts';

describe('on real parts', () => {
  let suite: HttpSuite;
  beforeAll(async () => {
    suite = await startHttpSuite({ TEST_LANE: 'fast' });
    await suite.system.startWorker({ TEST_LANE: 'fast' });
  });
  afterAll(() => suite.close());

  test('whoever calls over HTTP is not told where the ledger is when its disk is full', async () => {
    // As of a disk that has no room for this one record.
    await suite.system.sql.query(`
      CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
      CREATE TRIGGER full_disk BEFORE UPDATE ON agent_once.steps FOR EACH ROW
        WHEN (NEW.state = 'completed' AND NEW.step = 't1.c0') EXECUTE FUNCTION full_disk()`);
    const input = script(calls(['send', { label: 'full' }]), { say: 'ok' });
    await suite.start('"full"', { input });
    const [asked] = await untilAsked(suite, 'full');
    expect(asked?.error).toMatch(/ledger does not answer \(53100\)/);
    const path = '/v1/runs/agent-tester-full';
    await suite.send('POST', `${path}/steps/t1.c0/decision`, {
      body: { decision: 'fail', by: 'ann' },
    });
    const { host } = new URL(suite.system.env['LEDGER_URL'] ?? '');
    // The stream has everything until the end of the run.
    for (const part of ['/events', '', '/steps']) {
      const answer = await suite.send('GET', `${path}${part}`);
      const told = await answer.text();
      expect([answer.status, told.length > 0]).toEqual([200, true]);
      expect(told).not.toContain(host);
    }
  });
});
