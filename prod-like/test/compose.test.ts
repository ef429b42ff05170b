import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { PROJECT_ROOT } from '../../src/extras/dev/paths.ts';
import { readDockerfile } from '../image.ts';
import { interpolate } from '../interpolate.ts';
import { placeEnvironment, wrapSqlTool, type Places } from '../places.ts';
import { readCompose } from '../read-compose.ts';

const KEY = { OPENAI_API_KEY: 'any' };
const ours = () =>
  readCompose(readFileSync(path.join(PROJECT_ROOT, 'docker-compose.yml'), 'utf8'), KEY);
const PLACES: Places = {
  addresses: new Map([
    ['postgres:5432', '127.0.0.1:25001'],
    ['temporal:7233', '127.0.0.1:25002'],
  ]),
  files: new Map([
    ['/etc/temporal/schema', "/here/it's schema"],
    ['/etc/temporal/dynamic-config/agent-once.yaml', '/here/dynamic.yaml'],
  ]),
};

test.each([
  ['$$what and $${THIS}', '$what and ${THIS}'],
  ['$SET ${SET} ${NONE}!', 'value value !'],
  ['${EMPTY:-other} ${EMPTY-other} ${NONE-other}', 'other  other'],
  ['${SET:+there} ${EMPTY:+there} ${EMPTY+there}', 'there  there'],
  ['${NONE:-${SET}-}${NONE:-${NONE:-deep}}', 'value-deep'],
  ['postgres://u:${NONE:-p}@postgres:5432/db', 'postgres://u:p@postgres:5432/db'],
  ['${SET:?is needed}', 'value'],
  ['${NONE:-}', ''],
])('variables are put into %s as Compose does', (text, expected) => {
  expect(interpolate(text, { SET: 'value', EMPTY: '' })).toBe(expected);
});

test.each([
  ['${EMPTY:?set it, $SET}', 'The variable EMPTY is required: set it, value'],
  ['${NONE?}', 'The variable NONE is required'],
  ['${NONE', 'a dollar sign is $$'],
  ['costs $5', 'a dollar sign is $$'],
  ['${a b}', 'a dollar sign is $$'],
])('what Compose refuses is refused: %s', (text, message) => {
  expect(() => interpolate(text, { SET: 'value', EMPTY: '' })).toThrow(message);
});

test('our Compose file is read whole, with defaults, and needs what it says that it needs', () => {
  const { services, configs } = ours();
  expect([...services.keys()].slice(0, 4)).toEqual([
    'postgres',
    'temporal-schema',
    'temporal',
    'temporal-setup',
  ]);
  expect(services.get('worker')?.environment).toMatchObject({
    LEDGER_URL: 'postgres://postgres:postgres@postgres:5432/agent_once',
    OPENAI_API_KEY: 'any',
    OPENAI_BASE_URL: '',
  });
  expect(services.get('temporal-schema')?.command?.[0]).toContain('--db "$database" "$@"');
  expect(configs['temporal-dynamic-config']?.content).toContain('frontend.WorkerCommandsEnabled');
  const text = readFileSync(path.join(PROJECT_ROOT, 'docker-compose.yml'), 'utf8');
  expect(() => readCompose(text, {})).toThrow('The variable OPENAI_API_KEY is required');
});

test('what is not known of a Compose file is an error, and not left out', () => {
  const file = (more: string) => `name: x\nservices:\n  a:\n    image: a:1\n${more}`;
  expect(() => readCompose(file('    env_file: .env\n'), {})).toThrow(/not known here.*env_file/s);
  const needs = '    depends_on: { b: { condition: service_healthy } }\n';
  expect(() => readCompose(file(needs), {})).toThrow('wait for each other');
});

test('every address and path of our Compose file has its place here', () => {
  const { services } = ours();
  const placed = (name: string) =>
    placeEnvironment(services.get(name)?.environment ?? {}, services.keys(), PLACES);
  for (const name of services.keys()) {
    expect(JSON.stringify(placed(name))).not.toMatch(/(?:postgres|temporal):\d|\/etc\/temporal/);
  }
  expect(placed('temporal')).toMatchObject({
    POSTGRES_SEEDS: '127.0.0.1',
    DB_PORT: '25001',
    POSTGRES_USER: 'postgres',
    DYNAMIC_CONFIG_FILE_PATH: '/here/dynamic.yaml',
  });
  expect(placed('worker')).toMatchObject({
    TEMPORAL_ADDRESS: '127.0.0.1:25002',
    LEDGER_URL: 'postgres://postgres:postgres@127.0.0.1:25001/agent_once',
  });
  expect(() => placeEnvironment({ A: 'redis:6379' }, ['redis'], PLACES)).toThrow(
    'nothing is known to be there',
  );
});

test('the schema commands of our Compose file reach the tool with places of this machine', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'agent-once-sql-tool-'));
  try {
    const tool = path.join(folder, "the tool's");
    writeFileSync(tool, '#!/bin/sh\nprintf "%s|" "$@"\necho\n', { mode: 0o755 });
    writeFileSync(
      path.join(folder, 'temporal-sql-tool'),
      wrapSqlTool(tool, 'postgres:5432', PLACES),
      { mode: 0o755 },
    );
    const { entrypoint = [], command = [] } = ours().services.get('temporal-schema') ?? {};
    const [program = '', ...words] = [...entrypoint, ...command];
    const told = execFileSync(program, words, {
      env: { PATH: `${folder}${path.delimiter}${process.env['PATH']}` },
      encoding: 'utf8',
    });
    const before = '--plugin|postgres12|--ep|127.0.0.1|-p|25001|-u|postgres|--db|';
    const schema = "/here/it's schema/postgresql/v12";
    expect(told.split('\n')).toEqual([
      `${before}temporal|create|`,
      `${before}temporal|setup-schema|-v|0.0|`,
      `${before}temporal|update-schema|-d|${schema}/temporal/versioned|`,
      `${before}temporal_visibility|create|`,
      `${before}temporal_visibility|setup-schema|-v|0.0|`,
      `${before}temporal_visibility|update-schema|-d|${schema}/visibility/versioned|`,
      '',
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the Dockerfile says what its containers start, and how their health is asked', () => {
  expect(readDockerfile(readFileSync(path.join(PROJECT_ROOT, 'Dockerfile'), 'utf8'))).toEqual({
    environment: { NODE_ENV: 'production', AGENT_ONCE_HEALTH_PORT: '8081' },
    entrypoint: ['node', '/app/bin/agent-once.js'],
    healthCheck: ['node', '/app/bin/health-check.js'],
  });
});
