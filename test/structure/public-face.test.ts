import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { ROOT } from './checkout-copy.ts';

const read = (file: string): string => readFileSync(path.join(ROOT, 'src', file), 'utf8');

/** Each exported name and the file that has it. */
const exported = [...read('index.ts').matchAll(/^export (?:type )?\{([^}]*)\} from '(.*)';/gm)]
  .flatMap(([, names = '', file = '']) =>
    names
      .split(',')
      .map((name) => name.trim().replace(/^type /, ''))
      .filter((name) => name !== '')
      .map((name) => [name, file] as const),
  )
  .concat([['createClient', 'index.ts']]);

const NAMES = [
  // For an app.
  ['defineApp', 'App', 'Extra', 'defineAgent', 'AgentDefinition', 'NotApplied'],
  ['defineTool', 'ToolDefinition', 'ToolContext', 'TransactionalToolContext'],
  ['createTestContext', 'runTool'],
  ['defineModels', 'ModelEndpoint'],
  ['readCount', 'readFlag', 'readHttpUrl', 'readOneOf', 'readText'],
  // For a backend.
  ['createClient', 'AgentOnceClient', 'AgentOnceError', 'ErrorCode', 'JsonValue'],
  ['StartRequest', 'StartedRun', 'RunRef', 'RunView', 'RunSummary'],
  ['ListFilter', 'WaitOptions', 'DecisionInput'],
];

test('the public face has these names, and no others', async () => {
  expect(new Set(exported.map(([name]) => name))).toEqual(new Set(NAMES.flat()));
  const values = Object.keys(await import('../../src/index.ts'));
  expect(exported.map(([name]) => name)).toEqual(expect.arrayContaining(values));
});

test.each(exported)('%s has a docstring', (name, file) => {
  const declared = new RegExp(
    `\\*/\\nexport (?:async )?(?:function|class|interface|type) ${name}\\b`,
  );
  expect(read(file)).toMatch(declared);
});

test('the public face loads neither Temporal nor PostgreSQL until a client is made', () => {
  const loaded = (more: string): string[] => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [
        '--import',
        './bin/register-typescript.js',
        '--input-type=module',
        '-e',
        `import { createRequire } from 'node:module';
await import('./src/index.ts');
${more}
const files = Object.keys(createRequire(import.meta.url).cache);
console.log(JSON.stringify(files.map((file) => file.split('/node_modules/').at(-1))));`,
      ],
      { cwd: ROOT, encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    const packages = (JSON.parse(stdout) as string[]).map(
      (file) => /^(?:@[^/]+\/)?[^/]+/.exec(file)?.[0],
    );
    return [...new Set(packages)].filter((name) => name !== undefined);
  };
  expect(loaded('')).toEqual([]);
  expect(loaded(`await import('@temporalio/client'); await import('pg');`)).toEqual(
    expect.arrayContaining(['@temporalio/client', 'pg']),
  );
});
