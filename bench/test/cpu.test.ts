import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { cpuSeconds, parseStat } from '../cpu.ts';

/** A shell whose child takes some CPU; what is given follows it. */
const spinIn = (then: string) =>
  `${process.execPath} -e "for (let i = 0; i < 1e9; i += 1);" ${then}`;

const onLinux = process.platform === 'linux' ? test : test.skip;

test('a line of /proc/PID/stat is read, whatever the name of the program', () => {
  const after = 'S 7 1 1 0 -1 4194560 11 12 13 14 250 50 30 20 20 0 11 0 99 1 2';
  const stat = { parent: 7, ownTicks: 300, endedTicks: 50 };
  expect(parseStat(`42 (node) ${after}`)).toEqual(stat);
  expect(parseStat(`42 (a) S 9 (b) ${after}`)).toEqual(stat);
  expect(() => parseStat('')).toThrow('No line of /proc/PID/stat');
});

onLinux('the CPU of a process includes that of its children, running and ended', async () => {
  const shell = spawn('/bin/sh', ['-c', spinIn('; echo ended; read wait')], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  try {
    await once(shell.stdout, 'data');
    const ofEnded = (await cpuSeconds(shell.pid ?? 0)) ?? 0;
    expect(ofEnded).toBeGreaterThan(0.1);
  } finally {
    shell.stdin.end();
    await once(shell, 'exit');
  }
  expect((await cpuSeconds(process.pid)) ?? 0).toBeGreaterThan(0.1);
});
