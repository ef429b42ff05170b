import { execFile } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../../..', import.meta.url));

interface Report {
  kept: boolean;
  findings: { what: string; value: number | string; kept: boolean }[];
  compared: { what: string; value: number }[];
}

function demo(args: string[], env: Record<string, string> = {}) {
  return new Promise<{ code: number; report: Report; found: Map<string, unknown> }>(
    (resolve, reject) => {
      execFile(
        process.execPath,
        [path.join(ROOT, 'bin/agent-once.js'), 'demo', '--json', ...args],
        {
          env: {
            PATH: process.env['PATH'],
            HOME: process.env['HOME'],
            TEMPORAL_CLI: process.env['TEMPORAL_CLI'],
            ...env,
          },
        },
        (error, stdout, stderr) => {
          if (stdout === '') return reject(new Error(`The demo gave no report:\n${stderr}`));
          const report = JSON.parse(stdout) as Report;
          const found = new Map(report.findings.map(({ what, value }) => [what, value]));
          resolve({ code: error ? Number(error.code) : 0, report, found });
        },
      );
    },
  );
}

describe('the demo', () => {
  test('makes one run and one refund of 20 starts and a killed worker; a plain workflow makes two', async () => {
    const { code, report, found } = await demo(['--compare']);
    expect(report.findings.filter((finding) => !finding.kept)).toEqual([]);
    expect(code).toBe(0);
    expect(found.get('starts sent')).toBe(20);
    expect(found.get('runs created')).toBe(1);
    expect(found.get('refund requests')).toBeGreaterThanOrEqual(2);
    expect(found.get('refunds')).toBe(1);
    expect(report.compared).toMatchObject([{ value: 2 }]);
  });

  test('can be wrong: with tokens switched off it finds two refunds, and fails', async () => {
    const { code, report, found } = await demo([], { AGENT_ONCE_DEMO_NO_TOKENS: 'on' });
    expect(code).toBe(1);
    expect(report.kept).toBe(false);
    expect(found.get('refunds')).toBe(2);
  });
});
