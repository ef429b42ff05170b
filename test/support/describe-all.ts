import { describe } from '@jest/globals';

/**
 * `describe` for suites that need more than Node and npm (Redis, a browser). They live in
 * `test/all`; `npm test` reports them as skipped, `npm run test:all` requires them.
 */
export const describeAll = process.env['AGENT_ONCE_TEST_ALL'] === '1' ? describe : describe.skip;
