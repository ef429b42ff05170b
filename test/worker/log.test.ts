import { expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import fc from 'fast-check';
import { AgentOnceError } from '../../src/contract/errors.ts';
import { logLine } from '../../src/worker/log.ts';

/** Any UTF-16 text, lone surrogates, control characters and all. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(10, 13, 27, 0x2028, 0x202e)))
  .map((units) => String.fromCharCode(...units));

/** What ends a line, steers a terminal, turns the order around, or is half a character. */
const NOT_IN_A_LINE = /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

const write = (message: string, meta: Record<string, unknown>, stacks = false): string =>
  logLine({ level: 'WARN', message, meta, timestampNanos: 1_796_000_000_000_000_000n }, stacks);

test('whatever stands in an entry, it is one line, and nothing in it steers a terminal', () => {
  fc.assert(
    fc.property(anyText, anyText, fc.boolean(), (one, two, stacks) => {
      const error = Object.assign(new Error(one, { cause: new Error(two) }), { name: two });
      const meta = { error, step: two, inner: { deep: [one, error] }, [one]: two };
      expect(write(one, meta, stacks)).not.toMatch(NOT_IN_A_LINE);
    }),
  );
});

test('an error that looks like another line and clears the screen is shown as what it is', () => {
  const error = new Error('no\n2026-11-30T00:00:00.000Z [INFO] Refunded\u001b[2J');
  expect(write('Activity failed', { error, attempt: 2, taskToken: 'x' })).toBe(
    '2026-11-30T00:53:20.000Z [WARN] Activity failed error="no\\n2026-11-30T00:00:00.000Z [INFO] Refunded\\u001b[2J" attempt=2',
  );
});

test.each([
  [
    'an error of ours by its code',
    new AgentOnceError('ledger.invalid', 'no'),
    'ledger.invalid: no',
  ],
  [
    "a failure of Temporal's by its type",
    ApplicationFailure.create({ type: 'tool.failed', message: 'no' }),
    'tool.failed: no',
  ],
  ['an error of the system by its name', new TypeError('no'), 'TypeError: no'],
  ['an error that is no more than that by its message', new Error('Error: no'), 'Error: no'],
])('%s', (_name, error, shown) => {
  expect(write('failed', { error })).toMatch(new RegExp(` failed error="${shown}"$`));
});

test.each([
  [
    'a value that throws when it is looked at',
    {
      toJSON() {
        throw new Error('no');
      },
    },
  ],
  ['a big integer', 1n],
  ['a function', () => {}],
  ['nothing', null],
  ['an error whose message is none', Object.defineProperty(new Error(), 'message', { value: 5 })],
])('%s can be logged', (_name, value) => {
  expect(write('said', { value })).toMatch(/ said value=.+$/);
});
