import { expect, test } from '@jest/globals';
import { newEntries } from '../changes.ts';

const BEFORE = `# Changelog

## [0.2.0] - unreleased

### Added

- One,
  in two lines.

## [0.1.0]

- Zero.
`;

test('what is new is told from the changelog: of new versions, and of the one that grows', () => {
  const after = `# Changelog

## [0.3.0]

### Fixed

- Three.

${BEFORE.slice(BEFORE.indexOf('## [0.2.0]')).replace('  in two lines.\n', '  in two lines.\n- Two.\n')}`;
  expect(newEntries(BEFORE, after)).toBe('[0.3.0]\n- Three.\n[0.2.0] - unreleased\n- Two.');
  expect(newEntries(BEFORE, BEFORE)).toBe('');
});
