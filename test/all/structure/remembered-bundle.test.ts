import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type * as Plugins from '../../../src/client/plugins.ts';
import { copyCheckout, type CheckoutCopy } from '../../structure/checkout-copy.ts';

let copy: CheckoutCopy;
let bundle: () => Promise<{ codePath: string }>;
/** What the plugins of the copy's process put into the bundle. */
let interceptors: string[] = [];
beforeAll(async () => {
  copy = copyCheckout(
    [
      'package.json',
      'src/client/plugins.ts',
      'src/contract',
      'src/workflows',
      'src/worker/workflow-code.ts',
    ],
    new Map([
      ['package-lock.json', '{}'],
      [
        'src/app/workflows/index.ts',
        `export * from '../../workflows/index.ts';
import { first } from './below/first.ts';
export const words = async () => first;`,
      ],
      ['src/app/workflows/below/first.ts', `export { word as first } from '../../word.ts';`],
      ['src/app/word.ts', `export const word = 'the first word';`],
      ['src/app/other.ts', ''],
    ]),
  );
  const { workflowBundle } = (await import(
    path.join(copy.folder, 'src/worker/workflow-code.ts')
  )) as { workflowBundle: (app: string) => Promise<{ codePath: string }> };
  const { registerPlugins } = (await import(
    path.join(copy.folder, 'src/client/plugins.ts')
  )) as typeof Plugins;
  const plugin = {
    name: 'test',
    configureBundler: (options: object) => ({
      ...options,
      workflowInterceptorModules: interceptors,
    }),
  };
  registerPlugins([{ plugins: () => Promise.resolve([plugin]) }]);
  bundle = () => workflowBundle(path.join(copy.folder, 'src/app'));
});
afterAll(() => copy.remove());

test('a bundle is remembered until a file that it is made of changes, wherever that is', async () => {
  const change = (file: string, text: string) => writeFileSync(path.join(copy.folder, file), text);
  const { codePath } = await bundle();
  const code = readFileSync(codePath, 'utf8');
  expect(code).toContain('agentRun');
  expect(code).toContain('the first word');

  change('src/app/other.ts', 'export {};');
  expect(await bundle()).toEqual({ codePath });

  change('src/app/word.ts', `export const word = 'another word';`);
  const { codePath: second } = await bundle();
  expect(readFileSync(second, 'utf8')).toContain('another word');

  change('src/app/workflows/below/first.ts', `export const first = 'in the subfolder';`);
  const { codePath: third } = await bundle();
  expect(readFileSync(third, 'utf8')).toContain('in the subfolder');
  change('src/app/word.ts', `export const word = 'not imported any more';`);
  expect(await bundle()).toEqual({ codePath: third });

  change('package-lock.json', '{"packages":{}}');
  expect(new Set([codePath, second, third, (await bundle()).codePath]).size).toBe(4);
});

test('what a plugin adds to it is a part of it, and of what it is remembered by', async () => {
  const file = path.join(copy.folder, 'interceptors.ts');
  const say = (word: string) =>
    writeFileSync(file, `export const interceptors = () => ({ inbound: [{ ${word}: true }] });`);
  const { codePath: without } = await bundle();
  interceptors = [file];
  say('oneInterceptor');
  const { codePath: first } = await bundle();
  expect(readFileSync(first, 'utf8')).toContain('oneInterceptor');
  say('anotherInterceptor');
  const { codePath: second } = await bundle();
  expect(readFileSync(second, 'utf8')).toContain('anotherInterceptor');
  expect(new Set([without, first, second]).size).toBe(3);
});
