import { expect, test } from '@jest/globals';
import { runCommand } from '../../../../test/support/cli.ts';

test('a wrong batch ends with exit code 2 and says why', async () => {
  const input = ['--input', 'x'];
  const wrong: [string[], RegExp][] = [
    [['--concurrency', '2', ...input], /for a --batch/],
    [['--batch', 'f.jsonl'], /needs a --key/],
    [['--batch', 'f.jsonl', '--key', 'k', ...input], /inputs in its file/],
    [['--batch', 'f.jsonl', '--dedupe-window'], /needs a --key/],
    [['--batch', 'not-there.jsonl', '--key', 'k'], /not-there\.jsonl.*ENOENT/],
    [['--batch', 'f.jsonl', '--key', 'k', '--concurrency', '0'], /from 1 to 1000/],
    [['--batch', 'f.jsonl', '--key', 'k', '--dedupe-window'], /--key or --dedupe-window/],
  ];
  const nowhere = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
  for (const [args, says] of wrong) {
    const { code, stdout, stderr } = await runCommand(['start', 'assistant', ...args], nowhere);
    expect({ args, code, stdout, stderr }).toEqual({
      args,
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(says),
    });
  }
});
