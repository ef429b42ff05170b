import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { Connection } from '@temporalio/client';
import { eventually } from '../../../../../test/support/eventually.ts';
import { hasExtra } from '../../../../../test/support/extras.ts';
import { textOf } from '../../../../../test/support/search-text.ts';

const ROOT = fileURLToPath(new URL('../../../../..', import.meta.url));
const KEYS = `2026-11:${Buffer.alloc(32, 'k').toString('base64')}`;

interface Report {
  kept: boolean;
  findings: { what: string; value: number | string; kept: boolean }[];
  compared: { what: string; value: number }[];
}

/** @param look with the address of the demo's Temporal, before anything is stopped */
async function demo(
  args: string[],
  env: Record<string, string> = {},
  look?: (temporal: string) => Promise<void>,
): Promise<{ code: number; report: Report; found: Map<string, unknown> }> {
  const bin = path.join(ROOT, 'bin/agent-once.js');
  const keep = look ? ['--keep'] : [];
  const child = spawn(process.execPath, [bin, 'demo', '--json', ...keep, ...args], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      TEMPORAL_CLI: process.env['TEMPORAL_CLI'],
      ...env,
    },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const ended = once(child, 'close') as Promise<[number]>;
  if (look) {
    try {
      await eventually(() => {
        const isOver = child.exitCode !== null || stderr.includes('until Ctrl-C');
        if (!isOver) throw new Error(`The demo is not at its end:\n${stderr}`);
      });
      await look(/Temporal (\S+:\d+)/.exec(stderr)?.[1] ?? '');
    } finally {
      child.kill('SIGINT');
      await ended;
    }
  }
  const [code] = await ended;
  if (stdout === '') throw new Error(`The demo gave no report:\n${stderr}`);
  const report = JSON.parse(stdout) as Report;
  return { code, report, found: new Map(report.findings.map(({ what, value }) => [what, value])) };
}

/** What Temporal itself holds of a run: no codec has read it. */
async function rawHistory(address: string, workflowId: string): Promise<string> {
  const connection = await Connection.connect({ address });
  try {
    const { history } = await connection.workflowService.getWorkflowExecutionHistory({
      namespace: 'default',
      execution: { workflowId },
    });
    return textOf(history);
  } finally {
    await connection.close();
  }
}

describe('the demo', () => {
  test.each(['', ...(hasExtra('encryption') ? [KEYS] : [])])(
    'makes one run and one refund of 20 starts and a killed worker; a plain workflow makes two; with keys Temporal reads nothing of the run (%#)',
    async (keys) => {
      const env = { AGENT_ONCE_ENCRYPTION_KEYS: keys };
      const { code, report, found } = await demo(['--compare'], env, async (temporal) => {
        const history = await rawHistory(temporal, 'agent-support-req-001');
        expect(history).toContain('issue_refund');
        expect(history.includes('Refund 25.00 EUR')).toBe(keys === '');
        expect(history.includes('binary/encrypted')).toBe(keys !== '');
      });
      expect(report.findings.filter((finding) => !finding.kept)).toEqual([]);
      expect(code).toBe(0);
      expect(found.get('starts sent')).toBe(20);
      expect(found.get('runs created')).toBe(1);
      expect(found.get('refund requests')).toBeGreaterThanOrEqual(2);
      expect(found.get('refunds')).toBe(1);
      expect(report.compared).toMatchObject([{ value: 2 }]);
    },
  );

  test('can be wrong: with tokens switched off it finds two refunds, and fails', async () => {
    const { code, report, found } = await demo([], { AGENT_ONCE_DEMO_NO_TOKENS: 'on' });
    expect(code).toBe(1);
    expect(report.kept).toBe(false);
    expect(found.get('refunds')).toBe(2);
  });
});
