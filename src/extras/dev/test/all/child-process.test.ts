import { describe, expect, test } from '@jest/globals';
import { startChild } from '../../child-process.ts';
import { readCommandLine } from '../../leftover.ts';
import { holdServer, waitUntil, waitUntilGone } from '../processes.ts';

const STUBBORN = 'trap "" TERM; echo deaf; while :; do sleep 0.1; done';

describe('child processes', () => {
  test('stop asks first: a child that obeys ends by itself', async () => {
    const child = await startChild({
      part: 'a child',
      command: '/bin/sh',
      args: ['-c', 'trap "echo goodbye; exit 3" TERM; echo hello; while :; do sleep 0.05; done'],
      graceMs: 20_000,
    });
    await waitUntil('it has begun', () => child.lastLines().includes('hello'));
    await child.stop();
    expect(await child.exited).toEqual({ code: 3, signal: null });
    expect(child.lastLines()).toBe('hello\ngoodbye');
  });

  test('stop kills a child that does not obey, after its grace', async () => {
    const child = await startChild({
      part: 'a child',
      command: '/bin/sh',
      args: ['-c', STUBBORN],
      graceMs: 300,
    });
    await waitUntil('it is deaf', () => child.lastLines().includes('deaf'));
    await child.stop();
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await waitUntilGone(child.pid);
  });

  test('a program that is not there is an error that names the part', async () => {
    await expect(
      startChild({ part: 'The thing', command: '/nowhere/thing', args: [] }),
    ).rejects.toMatchObject({ code: 'part.failed', message: expect.stringContaining('The thing') });
  });

  test('a parent that is killed with SIGKILL leaves no child, not even a deaf one', async () => {
    const { parent, server } = await holdServer('stubborn');
    expect(await readCommandLine(server.pid)).toContain('trap');
    parent.process.kill('SIGKILL');
    await waitUntilGone(server.pid);
  });
});
