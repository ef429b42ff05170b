import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { ROOT } from '../../../test/structure/checkout-copy.ts';
import { PROGRAM_NET_MS } from '../../../test/support/nets.ts';

/** The scenario in chaos/README.md, with imports that work from anywhere. */
function documentedScenario(): string {
  const text = readFileSync(join(ROOT, 'chaos/README.md'), 'utf8');
  const [, code = ''] = /^```ts\n\/\/ my-scenario\.ts\n([\s\S]*?)^```$/m.exec(text) ?? [];
  return code.replaceAll("'./", `'${pathToFileURL(ROOT).href}/`);
}

test('the crash kit torments the scenario that its page shows', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'agent-once-scenario-'));
  try {
    const file = join(folder, 'my-scenario.ts');
    writeFileSync(file, documentedScenario());
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        '--import',
        './bin/register-typescript.js',
        'chaos/main.ts',
        '--json',
        '--runs=3',
        '--faults=before-claim:send_email',
        `--scenario=${file}`,
      ],
      { cwd: ROOT, timeout: PROGRAM_NET_MS },
    );
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(report).toMatchObject({ clean: true, kills: 1, findings: [] });
    const classes = report['classes'] as { class: string; counted: number; lost: number }[];
    const [tools] = classes.filter((row) => row.class !== 'model');
    expect(tools).toMatchObject({ counted: report['runs'], lost: 0 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
