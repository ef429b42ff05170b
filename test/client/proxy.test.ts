import { describe, expect, test } from '@jest/globals';
import { proxyFor, withPort } from '../../src/client/proxy.ts';

const PROXY = 'http://proxy.example:3128';
const throughProxy = { address: 'proxy.example:3128', credentials: undefined };

describe('the proxy to Temporal', () => {
  test.each([
    ['none is set', {}, undefined],
    ['HTTPS_PROXY', { HTTPS_PROXY: PROXY }, throughProxy],
    ['in small letters', { https_proxy: PROXY }, throughProxy],
    ['small letters count first', { https_proxy: PROXY, HTTPS_PROXY: 'http://b:1' }, throughProxy],
    ['set to nothing', { https_proxy: ' ', HTTPS_PROXY: PROXY }, throughProxy],
    ['without a scheme', { HTTPS_PROXY: 'proxy.example:3128' }, throughProxy],
    [
      'HTTP_PROXY and others are no proxies of it',
      { HTTP_PROXY: PROXY, grpc_proxy: PROXY },
      undefined,
    ],
    [
      'with a password',
      { HTTPS_PROXY: 'http://ann:p%40ss@proxy.example' },
      { address: 'proxy.example:80', credentials: { username: 'ann', password: 'p@ss' } },
    ],
  ])('%s', (_what, env, expected) => {
    expect(proxyFor('temporal.example:7233', env)).toEqual(expected);
  });

  test.each(['https://p:1', 'socks5://p:1', 'http://', 'http://%ff:x@p:1', ':::'])(
    '%s cannot be one, and is not repeated',
    (value) => {
      const read = () => proxyFor('temporal.example:7233', { HTTPS_PROXY: value });
      expect(read).toThrow(expect.objectContaining({ code: 'config.invalid' }));
      expect(read).toThrow(/^HTTPS_PROXY is not/);
    },
  );

  test.each(['127.0.0.1:7233', 'localhost', '[::1]:7233', '127.0.0.2:1'])(
    'this machine, %s, has none',
    (address) => {
      expect(proxyFor(address, { HTTPS_PROXY: PROXY })).toBeUndefined();
    },
  );
});

describe('NO_PROXY', () => {
  const isDirect = (address: string, exceptions: string) =>
    proxyFor(address, { HTTPS_PROXY: PROXY, NO_PROXY: exceptions }) === undefined;

  test.each([
    ['temporal.example:7233', 'temporal.example'],
    ['TEMPORAL.example:7233', 'other, Temporal.Example'],
    ['a.temporal.example:7233', 'temporal.example'],
    ['a.temporal.example:7233', '.temporal.example'],
    ['a.temporal.example:7233', '*.temporal.example'],
    ['temporal.example', 'temporal.example:7233'],
    ['temporal.example:7233', '*'],
    ['10.1.2.3:7233', '10.0.0.0/8'],
    ['10.1.2.3:7233', '10.1.2.3'],
    ['[fd00::7]:7233', 'fd00::/8'],
    ['[fd00::7]:7233', 'fd00::7'],
  ])('%s is an exception of %s', (address, exceptions) => {
    expect(isDirect(address, exceptions)).toBe(true);
  });

  test.each([
    ['temporal.example:7233', ''],
    ['nottemporal.example:7233', 'temporal.example'],
    ['temporal.example.org:7233', 'temporal.example'],
    ['temporal.example:7233', 'temporal.example:7234'],
    ['11.1.2.3:7233', '10.0.0.0/8'],
    ['10.1.2.3:7233', '10.0.0.0/99'],
    ['temporal.example:7233', '/,.,:'],
  ])('%s is none of %s', (address, exceptions) => {
    expect(isDirect(address, exceptions)).toBe(false);
  });
});

test.each([
  ['a.example', 'a.example:7233'],
  ['a.example:1', 'a.example:1'],
  ['[fd00::1]', '[fd00::1]:7233'],
  ['[fd00::1]:1', '[fd00::1]:1'],
])('the whole address of %s is %s', (address, whole) => {
  expect(withPort(address)).toBe(whole);
});
