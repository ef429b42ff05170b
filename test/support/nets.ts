/**
 * Limits of the tests: nets for what hangs, far beyond what a busy machine needs. No test expects
 * anything to be done within them. The whole has an hour (`scripts/test.mjs`).
 */

/** Of one wait: whoever waits says, when it is over, what did not come. */
export const NET_MS = 240_000;

/** Of a program that a test runs from its start to its end, such as the crash kit. */
export const PROGRAM_NET_MS = 600_000;

/** Of a test or a set-up that waits several times. */
export const TEST_NET_MS = 900_000;
