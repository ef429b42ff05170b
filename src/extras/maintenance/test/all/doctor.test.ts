import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runCommand } from '../../../../../test/support/cli.ts';
import { startOwnTemporal } from '../../../../../test/support/own-temporal.ts';
import { startTestSystem, type TestSystem } from '../../../../../test/support/system.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(async () => {
  await system.close();
});

const look = async (env: Record<string, string> = {}) => {
  const { code, stdout } = await runCommand(['doctor', '--json'], { ...system.env, ...env });
  const { findings } = JSON.parse(stdout) as {
    findings: { about: string; state: string; says: string }[];
  };
  const of = (name: string) => findings.filter(({ about }) => about === name);
  return { code, findings, of };
};

describe('agent-once doctor', () => {
  test('says that nobody works, and then who does', async () => {
    const before = await look();
    expect(before.code).toBe(0);
    expect(before.of('workers')).toEqual([
      { about: 'workers', state: 'note', says: expect.stringContaining('nobody has polled') },
    ]);
    const worker = await system.startWorker();
    const { code, findings, of } = await look();
    expect(of('workers')[0]).toMatchObject({
      state: 'ok',
      says: expect.stringContaining(`${worker.pid}@`),
    });
    expect(of('cancellations')[0]).toMatchObject({ says: expect.stringContaining('the server') });
    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(code).toBe(0);
    const { stdout } = await runCommand(['doctor'], system.env);
    expect(stdout.split('\n').filter((line) => line.startsWith('✓ '))).toHaveLength(
      findings.length,
    );
    await worker.stop();
  });

  test('goes on where something is missing, says what, and has its exit code', async () => {
    const { code, of } = await look({ LEDGER_URL: 'postgres://x:secret-1@127.0.0.1:1/none' });
    expect(code).toBe(6);
    const [ledger] = of('ledger');
    expect(ledger).toMatchObject({
      state: 'problem',
      says: expect.stringContaining('127.0.0.1:1'),
    });
    expect(ledger?.says).not.toContain('secret-1');
    expect(of('temporal')[0]).toMatchObject({ state: 'ok' });

    const away = await look({ TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect(away.code).toBe(6);
    expect(away.of('temporal')).toMatchObject([{ state: 'problem' }]);
    expect(away.of('ledger')).toMatchObject([{ state: 'ok' }]);
  });

  test('says who tells workers of cancellations', async () => {
    const temporal = await startOwnTemporal({ 'frontend.WorkerCommandsEnabled': false });
    try {
      const TEMPORAL_ADDRESS = process.env['TEST_TEMPORAL_ADDRESS'] ?? '';
      const env = { TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE: 'default' };
      const [found] = (await look(env)).of('cancellations');
      expect(found).toMatchObject({
        state: 'note',
        says: expect.stringContaining('the ledger tells'),
      });
    } finally {
      await temporal.stop();
    }
  });
});
