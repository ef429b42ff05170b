import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { copyCheckout } from '../../structure/checkout-copy.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestSystem } from '../../support/system.ts';
import { within } from '../../support/within.ts';

test('a worker starts in a checkout where nothing can be written', async () => {
  // A file stands where the cache should be: nobody can write below it, not even root.
  const copy = copyCheckout(['bin', 'src', 'package.json'], new Map([['.cache', '']]));
  const system = await startTestSystem();
  const bin = path.join(copy.folder, 'bin', 'agent-once.js');
  const child = spawn(process.execPath, [bin, 'worker'], {
    env: { PATH: process.env['PATH'] ?? '', ...system.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  const ended = once(child, 'exit');
  try {
    await eventually(
      () => expect(said).toMatch(/Worker \d+ is ready/),
      () => `It wrote: ${said}`,
    );
    child.kill('SIGTERM');
    const [code] = await within(ended, () => `the worker ended. It wrote: ${said}`);
    expect(code).toBe(0);
    expect(said).not.toMatch(/defect|\.cache/);
  } finally {
    child.kill('SIGKILL');
    await system.close();
    copy.remove();
  }
});
