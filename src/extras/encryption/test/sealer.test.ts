import { afterEach, expect, test } from '@jest/globals';
import { decodePayload, encodePayload, sealing } from '../../../ledger/payload.ts';
import { keptError, readError } from '../../../ledger/step-errors.ts';
import { createCipher } from '../cipher.ts';
import { createCodec } from '../codec.ts';
import { readKeys, type Keys } from '../keys.ts';
import { createSealer } from '../sealer.ts';
import { keyOf, withKeys } from './keys-of-tests.ts';

const inUse = sealing.sealer;
afterEach(() => {
  delete process.env['AGENT_ONCE_ENCRYPTION_KEYS'];
  sealing.sealer = inUse;
});

function keys(...entries: string[]): Keys {
  Object.assign(process.env, withKeys(...entries));
  return readKeys();
}

const payload = (text: string) => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(text)),
});

const unreadable = expect.objectContaining({ code: 'payload.unreadable' });

test.each(['short', 'long '.repeat(1_000)])(
  'the first key encrypts, and whoever has it at another place decrypts (%#)',
  async (text) => {
    const before = createCodec(keys(keyOf('old')));
    const after = createCodec(keys(keyOf('new'), keyOf('old')));
    const sealed = await before.encode([payload(text)]);
    expect(JSON.stringify(sealed)).toContain(JSON.stringify(Buffer.from('binary/encrypted')));
    expect(await after.decode(sealed)).toEqual([payload(text)]);
    // The old one does not have the new one's key.
    await expect(before.decode(await after.encode([payload(text)]))).rejects.toEqual(unreadable);
  },
);

test('a large payload is compressed before it is encrypted', async () => {
  const [sealed] = await createCodec(keys(keyOf('a'))).encode([payload('x'.repeat(100_000))]);
  expect(sealed?.data?.length).toBeLessThan(2_000);
});

test('what was not encrypted stays readable, and without keys nothing is encrypted', async () => {
  const plain = [payload('plain')];
  expect(await createCodec(keys(keyOf('a'))).decode(plain)).toEqual(plain);
  expect(await createCodec(keys()).encode(plain)).toEqual(plain);
});

test.each([
  ['another key under its ID', keyOf('a', 'another')],
  ['another key', keyOf('b')],
  ['no key', ''],
])('%s says so', async (_what, entry) => {
  const sealed = await createCodec(keys(keyOf('a'))).encode([payload('x')]);
  await expect(createCodec(keys(...[entry].filter(Boolean))).decode(sealed)).rejects.toEqual(
    expect.objectContaining({
      code: 'payload.unreadable',
      message: expect.stringContaining('"a"'),
    }),
  );
});

test('what somebody changed or cut is not taken for what it was', () => {
  const cipher = createCipher(keys(keyOf('a')));
  const sealed = cipher.seal(Buffer.from('a secret'));
  for (const at of sealed.keys()) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(() => cipher.open(changed)).toThrow(unreadable);
    expect(() => cipher.open(sealed.subarray(0, at))).toThrow(unreadable);
  }
});

test('rows of a ledger from before encryption stay readable, and those since are bytes', async () => {
  const before = await encodePayload({ amount: 25 });
  const errorBefore = keptError({ code: 'tool.failed', message: 'a reason' });
  const sealer = createSealer(keys(keyOf('a')));
  sealing.sealer = () => sealer;
  const since = await encodePayload({ amount: 25 });
  const errorSince = keptError({ code: 'tool.failed', message: 'a reason' });
  expect(since.data.toString('latin1')).not.toContain('amount');
  expect(errorSince).toEqual({
    code: 'tool.failed',
    message: expect.not.stringContaining('reason'),
  });
  expect(await decodePayload(before.data)).toEqual({ amount: 25 });
  expect(await decodePayload(since.data)).toEqual({ amount: 25 });
  expect([errorBefore, errorSince].map(readError)).toEqual([errorBefore, errorBefore]);

  const other = createSealer(keys(keyOf('b')));
  sealing.sealer = () => other;
  await expect(decodePayload(since.data)).rejects.toEqual(unreadable);
  // It is shown, and nothing depends on it.
  expect(readError(errorSince).message).toBe(
    '(encrypted with a key that this process does not have)',
  );
});

test('with `plain` in the first place nothing is encrypted, and what is encrypted is read', async () => {
  const [sealed = {}] = await createCodec(keys(keyOf('a'))).encode([payload('x')]);
  const text = createSealer(keys(keyOf('a'))).sealText('x');
  const reading = keys('plain', keyOf('b'), keyOf('a'));
  expect(await createCodec(reading).decode([sealed])).toEqual([payload('x')]);
  expect(await createCodec(reading).encode([payload('x')])).toEqual([payload('x')]);
  const sealer = createSealer(reading);
  expect([sealer.openText(text), sealer.sealText('x')]).toEqual(['x', 'x']);
});

test.each([
  ['no colon', 'secretsecretsecret'],
  ['two colons', `${keyOf('a')}:more`],
  ['a short key', 'a:c2hvcnQ='],
  ['an ID with a blank', keyOf('a').replace('a:', 'a b:')],
  ['plain at another place', `${keyOf('a')},plain`],
  ['an ID twice', `${keyOf('a')},${keyOf('a')}`],
  ['an empty entry', `${keyOf('a')},`],
])('%s among the keys is refused, and no part of it repeated', (_what, setting) => {
  expect.assertions(2);
  try {
    keys(setting);
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    expect(code).toBe('config.invalid');
    const parts = setting.split(/[,:]/).filter((part) => part.length > 6);
    expect(parts.filter((part) => message.includes(part))).toEqual([]);
  }
});
