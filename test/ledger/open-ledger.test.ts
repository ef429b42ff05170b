import { describe, test } from '@jest/globals';
import { expectRefused, expectUnanswered } from '../support/ledger-address.ts';

describe('opening a ledger', () => {
  test.each([
    'not a url',
    'mysql://u:secret@h/d',
    'postgres://u:secret@h:port/d',
    'redis://u:secret@h:port/0',
  ])('refuses %s as an address, without repeating it', expectRefused);

  test.each(['postgres', 'postgresql'])(
    'of %s that nobody serves says that it does not answer, without credentials',
    expectUnanswered,
  );
});
