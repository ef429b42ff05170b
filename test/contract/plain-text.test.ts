import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { printable } from '../../src/cli/output.ts';
import { markdownText } from '../../src/workflows/markdown.ts';

/** What a text is made of that wants to be more than one. */
const MARKS = [
  '[',
  ']',
  '(',
  ')',
  '<',
  '>',
  '*',
  '_',
  '`',
  '~',
  '|',
  '\\',
  '!',
  '#',
  '&',
  ':',
  '@',
];
const BIDI = ['\u202a', '\u202e', '\u2066', '\u2069'];
const anyText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...MARKS,
        ...BIDI,
        'http://',
        'www.',
        '\n',
        '\r',
        '\0',
        '\u001b[31m',
        '\ud83d',
        '👍',
        ' ',
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

test('Markdown has no mark of others that is not escaped, on one well-formed line', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const shown = markdownText(text);
      expect(shown).not.toMatch(/[\n\r\0\u001b\u202a-\u202e\u2066-\u2069]/);
      expect(shown.isWellFormed()).toBe(true);
      // Without the pairs that a backslash makes, no mark is left.
      expect(shown.replaceAll(/\\./gu, '')).not.toMatch(/[[\]()<>*_`~|\\!#&:@]|www\./i);
    }),
  );
});

test('a terminal is shown neither controls nor changes of direction', () => {
  fc.assert(
    fc.property(anyText, fc.boolean(), (text, lines) => {
      expect(printable(text, lines)).not.toMatch(
        // eslint-disable-next-line no-control-regex
        /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/,
      );
    }),
  );
});
