import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findTemporalCli } from '../../../src/extras/dev/temporal-cli.ts';
import { ROOT } from '../../structure/checkout-copy.ts';
import { runBin } from '../../support/cli.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';

const PROGRAMS = /^(?:agent-once|temporal|tcld|kubectl|docker|cp|psql) /;
const page = fs.readFileSync(path.join(ROOT, 'docs/production.md'), 'utf8');
const blocksOf = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^ *\`\`\`${language}\\n([^]*?)^ *\`\`\`$`, 'gm'))].map(
    ([, text = '']) => text,
  );
/** The lines of a block; one that ends in a backslash goes on in the next. */
const linesOf = (text: string): string[] =>
  text
    .replaceAll(/ *\\\n */g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
/** Every command on the page, in blocks and in sentences. */
const commands = new Set([
  ...blocksOf('sh').flatMap(linesOf),
  ...[...page.replaceAll(/^ *```[^]*?^ *```$/gm, '').matchAll(/`([^`\n]+)`/g)]
    .map(([, code = '']) => code)
    .filter((code) => PROGRAMS.test(code)),
]);

/** What cannot run here, and why. */
const NOT_HERE: Record<string, string[]> = {
  'there is no container engine': [
    'docker build -t registry.example.com/agents:0.1.0 . && docker push registry.example.com/agents:0.1.0',
  ],
  'there is no cluster; test/all/deploy/kubernetes.test.ts checks the manifests': [
    'kubectl create namespace agent-once',
    'kubectl apply -f deploy/kubernetes/mine/secrets.yaml',
    'kubectl -n agent-once delete job agent-once-migrate --ignore-not-found',
    'kubectl apply -k deploy/kubernetes/mine',
    'kubectl -n agent-once wait --for=condition=complete job/agent-once-migrate --timeout=5m',
    'kubectl -n agent-once exec deploy/agent-once-worker -- agent-once doctor',
  ],
  'it is a program of Temporal Cloud, which needs an account': [
    'tcld namespace search-attributes add',
  ],
};
/** What another suite runs. */
const ELSEWHERE: Record<string, string[]> = {
  'test/all/run/split-queues.test.ts': ['agent-once worker', 'agent-once worker --only workflows'],
  'src/extras/service/test/all/commands.test.ts': [
    'agent-once serve',
    'agent-once api-keys revoke PREFIX',
  ],
  'src/extras/encryption/test/all/codec.test.ts': ['agent-once codec'],
  'test/all/cli/runs.test.ts': ['agent-once start … --priority 1'],
  'test/client/resume.test.ts': ['agent-once resume … --priority 1'],
};

let system: TestSystem;
let folder: string;
let env: Record<string, string>;
const ran = new Set<string>();

beforeAll(async () => {
  system = await startTestSystem();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'agent-once-production-'));
  fs.symlinkSync(await findTemporalCli(), path.join(folder, 'temporal'));
  fs.cpSync(path.join(ROOT, 'deploy'), path.join(folder, 'deploy'), { recursive: true });
  env = { ...system.env, AGENT_ONCE_SPLIT_TASK_QUEUES: 'on', OPENAI_API_KEY: 'none' };
});
afterAll(async () => {
  await (system as TestSystem | undefined)?.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

/**
 * Runs a command of the page.
 *
 * @param args its arguments, where the page leaves some open
 */
async function agentOnce(line: string, args = line.split(' ').slice(1)) {
  const result = await runBin(args, env);
  ran.add(line);
  return result;
}

function shell(line: string, more: Record<string, string> = {}): void {
  const { PATH = '', HOME = '' } = process.env;
  const own = { PATH: `${folder}${path.delimiter}${PATH}`, HOME, ...more };
  execFileSync('/bin/sh', ['-euc', line], { cwd: folder, env: own, stdio: 'pipe' });
  ran.add(line);
}

describe('a run', () => {
  const started = ['start', 'support', '--key', 'req-001', '--input', 'Refund order 1042.'];

  test('is explained, listed, resumed, cancelled and forgotten', async () => {
    expect(await runBin(started, env)).toMatchObject({ code: 0 });
    const explained = await agentOnce('agent-once explain support req-001');
    expect(explained).toMatchObject({ code: 0, stdout: expect.stringContaining('req-001') });
    await eventually(async () => {
      const listed = await agentOnce('agent-once list');
      expect(listed).toMatchObject({ code: 0, stdout: expect.stringContaining('req-001') });
    });
    expect(await agentOnce('agent-once list --status waiting')).toMatchObject({ code: 0 });
    // It is under way, which is no error.
    expect(await agentOnce('agent-once resume support req-001')).toMatchObject({ code: 0 });
    const one = ['support', 'req-001'];
    expect(await agentOnce('agent-once cancel', ['cancel', ...one])).toMatchObject({ code: 0 });
    await system.temporal.workflow.getHandle('agent-support-req-001').terminate();
    const forgotten = await agentOnce('agent-once forget', ['forget', ...one]);
    expect(forgotten).toMatchObject({ code: 0 });
  });

  test('needs what the doctor looks at', async () => {
    const { code, stdout } = await agentOnce('agent-once doctor');
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('✓ ledger') });
  });
});

test('a queue is limited for all its workers together', async () => {
  const [limit = ''] = [...commands].filter((line) => line.startsWith('temporal task-queue'));
  shell(limit, env);
  const [, name = '', rate = ''] = /--task-queue (\S+) .*--queue-rps-limit (\d+)/.exec(limit) ?? [];
  const { config } = await system.temporal.workflowService.describeTaskQueue({
    namespace: env['TEMPORAL_NAMESPACE'] ?? '',
    taskQueue: { name },
    taskQueueType: 2,
    reportConfig: true,
  });
  expect(config?.queueRateLimit?.rateLimit?.requestsPerSecond).toBe(Number(rate));
});

test("the keys of the service's callers are made and listed", async () => {
  const create = 'agent-once api-keys create TENANT';
  expect(await agentOnce(create, ['api-keys', 'create', 'acme'])).toMatchObject({ code: 0 });
  expect(await agentOnce('agent-once api-keys list')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('acme'),
  });
});

test('a worker gets another password by a second role, and the first one goes', async () => {
  // Roles are the whole server's: this suite has its own.
  const own = (text: string): string => text.replaceAll('agent_once_worker', role);
  const role = `agent_once_test_${process.pid}`;
  const [create = '', drop = ''] = blocksOf('sql');
  const grant = [...commands].find((line) => line.includes('--grant-to')) ?? '';
  const migrated = await agentOnce('agent-once ledger migrate');
  expect(migrated).toMatchObject({ code: 0 });
  const before = create.replace('agent_once_worker_2', 'agent_once_worker');
  await system.sql.query(own(before));
  await runBin(own(grant).replace(`${role}_2`, role).split(' ').slice(1), env);
  await system.sql.query(own(create));
  expect(await agentOnce(grant, own(grant).split(' ').slice(1))).toMatchObject({ code: 0 });
  const rightsOf = async (of: string): Promise<unknown[]> => {
    const { rows } = await system.sql.query(
      `SELECT table_schema, table_name, privilege_type FROM information_schema.role_table_grants
       WHERE grantee = $1 ORDER BY 1, 2, 3`,
      [of],
    );
    return rows;
  };
  const rights = await rightsOf(role);
  expect(rights.length).toBeGreaterThan(10);
  expect(await rightsOf(`${role}_2`)).toEqual(rights);
  await system.sql.query(own(drop));
  expect(await rightsOf(role)).toEqual([]);
  expect(await rightsOf(`${role}_2`)).toEqual(rights);
  await system.sql.query(own(drop).replaceAll(role, `${role}_2`));
});

test('the manifests are copied beside their base', () => {
  const [copy = ''] = [...commands].filter((line) => line.startsWith('cp '));
  shell(copy);
  const mine = path.join(folder, 'deploy/kubernetes/mine');
  expect(fs.readdirSync(mine)).toContain('kustomization.yaml');
  const text = fs.readFileSync(path.join(mine, 'kustomization.yaml'), 'utf8');
  for (const [, name = ''] of text.matchAll(/^ +- (\.\.\/\w+)/gm)) {
    expect([name, fs.existsSync(path.join(mine, name))]).toEqual([name, true]);
  }
});

test('every command of the page has run here, runs in another suite, or cannot run here', () => {
  const not = Object.values(NOT_HERE).flat();
  const elsewhere = Object.values(ELSEWHERE).flat();
  expect([...commands].sort()).toEqual([...ran, ...not, ...elsewhere].sort());
  for (const file of Object.keys(ELSEWHERE)) {
    expect([file, fs.existsSync(path.join(ROOT, file))]).toEqual([file, true]);
  }
});
