import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runBin, runCommand } from '../support/cli.ts';
import { hasExtra } from '../support/extras.ts';

/** Nobody listens there: a mistake that is found too late ends with exit code 6. */
const NOWHERE = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

let folder: string;
const file = (name: string) => path.join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-cli-'));
  await writeFile(file('latin1.txt'), Buffer.from([0x66, 0xfc, 0x72]));
  await writeFile(file('broken.json'), '{"a":');
  await writeFile(file('big.txt'), 'x'.repeat(1024 * 1024));
  await writeFile(file('huge.txt'), 'x'.repeat(5 * 1024 * 1024));
});
afterAll(() => rm(folder, { recursive: true }));

const START = ['start', 'assistant', '--key', 'k'];

describe('a wrong command line ends with exit code 2 and says why', () => {
  test.concurrent.each<[string, string[], RegExp]>([
    ['usage', ['strat'], /Did you mean start/],
    ['usage', ['start'], /missing required argument 'agent'/],
    ['usage', ['start', 'assistant', '--wat'], /unknown option '--wat'/],
    ['usage', ['status', 'assistant'], /missing required argument 'key'/],
    ['usage', START, /no input.*--input TEXT.*--input-json JSON.*--input-file FILE, or -/],
    ['usage', [...START, '--input', 'a', '--input-json', '1'], /one input/],
    ['usage', [...START, '--input', 'a', '-'], /one input/],
    ['usage', [...START, '--input', 'a', '--wait', '30'], /--wait=30/],
    ['usage', [...START, '--input', 'a', '--wait=soon'], /--wait=30/],
    ['usage', [...START, '--input', 'a', '--wait=-1'], /--wait=30/],
    ['usage', [...START, '--input-file', 'not-there.txt'], /not-there\.txt.*ENOENT/],
    ['input.invalid', [...START, '--input-json', '{"a":1,"a":2}'], /duplicate member/],
    ['input.invalid', [...START, '--input-json', '{'], /not valid JSON/],
    ['input.invalid', [...START, '--input', ' '], /empty.*--input-json null/],
    ['input.invalid', [...START, '--input', '<the input>'], /stands for the run's input/],
    ['input.invalid', [...START, '--input', '<the same input>'], /stands for the run's input/],
    ['usage', ['worker', '--health-port', 'abc'], /A port is a number/],
    ['input.invalid', [...START, '--input-json', '9007199254740993'], /2\^53/],
    ['input.invalid', [...START, '--input-json', '"\\ud800"'], /surrogate/],
    ['key.invalid', ['start', 'assistant', '--key', '', '--input', 'a'], /is empty/],
    ['key.invalid', ['status', 'assistant', 'ключ'], /ASCII/],
    ['key.invalid', ['cancel', 'assistant', 'x'.repeat(256)], /256 characters/],
    ['name.invalid', ['result', 'Assistant', 'k'], /agent name/],
    ['name.invalid', ['status', 'assistant', 'k', '--tenant', 'a-b'], /tenant name/],
    ['name.invalid', ['list', '--agent', "a'b"], /agent name/],
    ['usage', ['list', '--status', 'done'], /Allowed choices are running/],
    ['usage', ['list', '--limit', '0'], /1 to 10000/],
    ['agent.unknown', ['start', 'asistant', '--input', 'a'], /known: assistant, clerk/],
    ['options.invalid', [...START, '--input', 'a', '--model', ' '], /model/],
    [
      'options.invalid',
      [...START, '--input', 'a', '--reasoning-effort', 'low'],
      /resumed.*--retry-failed.*Nothing was started/,
    ],
    [
      'options.invalid',
      [...START, '--input', 'a', '--max-output-tokens', '9'],
      /resumed.*--retry-failed.*Nothing was started/,
    ],
    ['usage', ['resume', 'assistant', 'k', '--reasoning-effort', 'Very much'], /none, low or high/],
    ['usage', ['resume', 'assistant', 'k', '--max-output-tokens', '0'], /whole number from 1/],
  ])('%s: %j', async (code, args, says) => {
    const { code: exit, stdout, stderr } = await runCommand([...args, '--json'], NOWHERE);
    expect({ exit, stderr }).toEqual({ exit: 2, stderr: expect.stringMatching(says) });
    const { error } = JSON.parse(stdout);
    expect(error).toEqual({ code, message: expect.stringMatching(says) });
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test.each([
    ['latin1.txt', 'input.invalid'],
    ['broken.json', 'input.invalid'],
    ['big.txt', 'input.too_large'],
    ['huge.txt', 'input.too_large'],
  ])('input from %s: %s', async (name, code) => {
    const args = [...START, '--input-file', file(name), '--json'];
    const { code: exit, stdout } = await runCommand(args, NOWHERE);
    expect({ exit, error: JSON.parse(stdout).error.code }).toEqual({ exit: 2, error: code });
  });

  test('without --json stdout stays empty', async () => {
    expect(await runCommand(START, NOWHERE)).toMatchObject({ code: 2, stdout: '' });
    expect(await runCommand([], NOWHERE)).toMatchObject({ code: 2, stdout: '' });
  });

  test('--wait takes no value after a space, nor is it taken for one', async () => {
    const waits = await runCommand(['start', '--wait', 'assistant', '--input', '--wait'], NOWHERE);
    expect(waits.code).toBe(6);
  });
});

test.each<[string, string[]]>([
  ['status', ['assistant', '-y']],
  ...(hasExtra('explain')
    ? [['explain', ['assistant', '--tenant=acme']] as [string, string[]]]
    : []),
  ...(hasExtra('decisions')
    ? [['approve', ['assistant', '-k', 't1.c0']] as [string, string[]]]
    : []),
])('%s says how to write a key that begins with a hyphen', async (command, args) => {
  const { code, stderr } = await runCommand([command, ...args], NOWHERE);
  expect(code).toBe(2);
  expect(stderr).toContain(`agent-once ${command} -- <agent> <key>`);
  // What it says is right: the key is read, and then nobody is at the address.
  const options = command === 'approve' ? ['--yes'] : [];
  expect((await runCommand([command, ...options, '--', ...args], NOWHERE)).code).toBe(6);
});

describe('a setting that cannot be', () => {
  test('is named, and its value is not', async () => {
    const env = { ...NOWHERE, AGENT_ONCE_HASH_KEYS: 'hunter2' };
    const { code, stderr } = await runCommand(['status', 'assistant', 'k'], env);
    expect(code).toBe(2);
    expect(stderr).toMatch(/AGENT_ONCE_HASH_KEYS/);
    expect(stderr).not.toMatch(/hunter2/);
  });
});

describe('nobody at the address', () => {
  test.each([
    [[...START, '--input', 'a']],
    [['status', 'assistant', 'k']],
    [['result', 'assistant', 'k', '--wait']],
    [['cancel', 'assistant', 'k']],
    ...(hasExtra('maintenance') ? [[['forget', 'assistant', 'k']]] : []),
    [['list']],
  ])('%j ends with exit code 6', async (args) => {
    const { code, stdout, stderr } = await runCommand([...args, '--json'], NOWHERE);
    expect(code).toBe(6);
    expect(JSON.parse(stdout).error.code).toBe('temporal.unreachable');
    expect(stderr).toMatch(/127\.0\.0\.1:1\b.*agent-once dev/);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test('AGENT_ONCE_LOG_LEVEL=debug shows where an error came from', async () => {
    const env = { ...NOWHERE, AGENT_ONCE_LOG_LEVEL: 'debug' };
    expect((await runCommand(['list'], env)).stderr).toMatch(/\n\s+at /);
  });
});

describe('help', () => {
  test.each([
    [[] as string[], /Exit codes:[\s\S]*Environment/] as const,
    [['start'], /--wait\[=seconds\][\s\S]*Examples:[\s\S]*Exit codes:/],
    [['status'], /Examples:[\s\S]*Exit codes:/],
    [['result'], /--wait\[=seconds\][\s\S]*Examples:[\s\S]*Exit codes:/],
    ...(hasExtra('explain') ? [[['explain'], /Examples:[\s\S]*Exit codes:/] as const] : []),
    [['cancel'], /Examples:[\s\S]*Exit codes:/],
    ...(hasExtra('maintenance')
      ? [[['forget'], /Examples:[\s\S]*Exit codes:[\s\S]*7  /] as const]
      : []),
    [['list'], /Examples:[\s\S]*Exit codes:/],
  ])('of %j teaches, without colours where no terminal is', async (args, says) => {
    const { code, stdout, stderr } = await runBin([...args, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(says);
    expect(stdout).not.toContain('\u001b');
  });

  test('loads none of the heavy packages, which is what makes it fast', async () => {
    const tell = `process.on('exit', () => process.stderr.write(Object.keys(require.cache).join('\\n')))`;
    await writeFile(file('tell.cjs'), tell);
    const { stderr } = await runBin(['--help'], { NODE_OPTIONS: `--require ${file('tell.cjs')}` });
    expect(stderr).toContain('commander');
    expect(stderr).not.toMatch(/@temporalio|@grpc|protobufjs|@swc|[/\\]pg[/\\]|zod|openai/);
  });

  test('--version', async () => {
    expect(await runBin(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });
});
