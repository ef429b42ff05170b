import { describe, expect, test } from '@jest/globals';
import { runCommand } from '../../support/cli.ts';
import { testWith } from '../../support/extras.ts';
import { postgresUrl, temporalAddress } from '../../support/servers.ts';

const PASSWORD = 'Zq7/kW:9@xV?2#mT';
const PARTS = /Zq7|kW:9|xV\?2|#mT|kW%3A9|Zq7%2F/;

/** `AGENT_ONCE_LOG_LEVEL=debug` shows what was seen; no setting's password is in it. */
describe('what a command says about a part that it cannot use', () => {
  const wrong = (url: string, password: string) => url.replace(':postgres@', `:${password}@`);
  const encoded = encodeURIComponent(PASSWORD);

  testWith('service').each([
    ['a wrong password', () => wrong(postgresUrl(), encoded), /28P01/],
    [
      'a password that is not encoded',
      () => wrong(postgresUrl(), PASSWORD),
      /not a PostgreSQL URL/,
    ],
    ['a server that is away', () => `postgres://ann:${encoded}@127.0.0.1:1/ledger`, /ECONNREFUSED/],
    ['a name that nobody has', () => `postgres://ann:${encoded}@nobody.invalid/l`, /ENOTFOUND/],
    [
      'a file that is missing',
      () => `postgres://ann:${encoded}@127.0.0.1:1/l?sslmode=verify-full&sslrootcert=/nowhere`,
      /ENOENT/,
    ],
  ])('the database: %s', async (_what, url, seen) => {
    for (const AGENT_ONCE_LOG_LEVEL of ['info', 'debug']) {
      const env = { LEDGER_URL: url(), AGENT_ONCE_LOG_LEVEL };
      const { code, stdout, stderr } = await runCommand(['api-keys', 'list'], env);
      expect(code).toBeGreaterThan(0);
      expect(stderr).toMatch(seen);
      expect(stdout + stderr).not.toMatch(PARTS);
      const chain = /caused by \((28P01|ECONNREFUSED|ENOTFOUND|ENOENT)\): /;
      if (!stderr.includes('config.invalid')) {
        if (AGENT_ONCE_LOG_LEVEL === 'debug') expect(stderr).toMatch(chain);
        else expect(stderr).not.toMatch(/caused by|\n {4}at /);
      }
    }
  });

  test('Temporal: a server that is away, with what gRPC met below it', async () => {
    const env = { TEMPORAL_ADDRESS: '127.0.0.1:1', AGENT_ONCE_LOG_LEVEL: 'debug' };
    const { code, stderr } = await runCommand(['list'], env);
    expect(code).toBe(6);
    expect(stderr).toMatch(/nothing listens there \(ECONNREFUSED\)/);
    expect(stderr).toMatch(/caused by \(ECONNREFUSED\): /);
  });

  test.each(['OPENAI_BASE_URL', 'TEMPORAL_UI_URL'])('a password in %s', async (name) => {
    for (const password of [PASSWORD, encoded]) {
      const env = {
        TEMPORAL_ADDRESS: temporalAddress(),
        LEDGER_URL: postgresUrl(),
        OPENAI_API_KEY: 'planted',
        AGENT_ONCE_LOG_LEVEL: 'debug',
        [name]: `https://ann:${password}@127.0.0.1:1/v1`,
      };
      const { code, stdout, stderr } = await runCommand(['worker'], env);
      expect(code).toBe(2);
      expect(stderr).toContain(name);
      expect(stdout + stderr).not.toMatch(PARTS);
    }
  });
});
