import { inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readConfig } from '../../src/config.ts';
import { openLedger, openLedgerReader } from '../../src/ledger/open-ledger.ts';
import { createOpenAiModel } from '../../src/model/openai/openai-model.ts';

/** Each setting that is a URL, and what the program does with it first. */
const SETTINGS: Record<string, (url: string) => Promise<unknown>> = {
  LEDGER_URL: (url) => openLedger(url).then((ledger) => ledger.close()),
  'LEDGER_URL, to read': async (url) => {
    const reader = await openLedgerReader(url);
    try {
      await reader.steps('scope');
    } finally {
      await reader.close();
    }
  },
  OPENAI_BASE_URL: async (baseUrl) => createOpenAiModel({ baseUrl }),
  SHOP_URL: async (url) => readConfig({ SHOP_URL: url }),
  TEMPORAL_UI_URL: async (url) => readConfig({ TEMPORAL_UI_URL: url }),
};
/** A server that is not there, a name that nobody has, what cannot be parsed. */
const URLS: ((password: string) => string)[] = [
  (pass) => `postgres://ann:${pass}@127.0.0.1:1/ledger`,
  (pass) => `postgres://ann:${encodeURIComponent(pass)}@127.0.0.1:1/ledger`,
  (pass) => `postgres://ann:${pass}@127.0.0.1:1,[::1]:1/ledger?target_session_attrs=read-write`,
  (pass) => `postgres://ann:${pass}@/ledger?host=/nowhere/at:all`,
  (pass) => `postgres://127.0.0.1:1/ledger?user=ann&password=${encodeURIComponent(pass)}`,
  (pass) =>
    `postgres://ann:${encodeURIComponent(pass)}@127.0.0.1:1/ledger?sslmode=verify-full&sslrootcert=/nowhere`,
  (pass) => `postgres://ann:${pass}@nobody.invalid/ledger`,
  (pass) => `redis://ann:${pass}@127.0.0.1:1/0`,
  (pass) => `rediss://:${encodeURIComponent(pass)}@127.0.0.1:1/0`,
  (pass) => `mysql://ann:${pass}@127.0.0.1:1/0`,
  (pass) => `https://ann:${pass}@127.0.0.1:1/v1`,
  (pass) => `ann:${pass}@127.0.0.1`,
];

const password = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 6,
  maxLength: 24,
});

test.each(Object.keys(SETTINGS))(
  'no error about %s repeats a password or a part of it, whatever it is made of',
  async (setting) => {
    const open = SETTINGS[setting] ?? (async () => {});
    const told = (url: string): Promise<string> =>
      open(url).then(
        () => '',
        (error: unknown) => inspect(error, { depth: 10, showHidden: true }),
      );
    const others = await Promise.all(URLS.map((make) => told(make('********'))));
    const without = [...others, ...URLS.map((make) => make(''))].join('\n');
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...URLS), password, async (make, secret) => {
        const text = await told(make(secret));
        const parts = Array.from({ length: secret.length - 3 }, (_, at) =>
          secret.slice(at, at + 4),
        );
        expect(parts.filter((part) => text.includes(part) && !without.includes(part))).toEqual([]);
      }),
      { numRuns: 120 },
    );
  },
);
