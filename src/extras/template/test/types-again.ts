/** What a check of types remembers, in a copy's folder. */
export const REMEMBERED = 'types.tsbuildinfo';

/**
 * Checks the types of a copy, as a command and its arguments. It remembers what it found in a file,
 * so that another copy that has this file is checked only where it differs.
 */
export const TYPES_AGAIN = [
  'node_modules/.bin/tsc',
  '--noEmit',
  '--incremental',
  '--tsBuildInfoFile',
  REMEMBERED,
] as const;
