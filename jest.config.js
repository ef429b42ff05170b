/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } },
    ],
  },
  // Each folder has its tests: those of the engine are in test, those of an extra in it.
  testMatch: ['<rootDir>/{test,src,bench,chaos,fuzz,pictures,prod-like}/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.agent-once/'],
  // One server start for all suites; see test/support/global-setup.ts.
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  // The nets of single waits and of tests; scripts/test.mjs has the one of the whole.
  setupFilesAfterEnv: ['<rootDir>/test/support/set-nets.ts', '<rootDir>/test/support/use-app.ts'],
};
