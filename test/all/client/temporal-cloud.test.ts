import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeCertificates, type Certificates } from '../../support/certificates.ts';
import { runCommand } from '../../support/cli.ts';
import { startCloudFront, type CloudFront } from '../../support/cloud-front.ts';
import { hasExtra } from '../../support/extras.ts';
import { createTestNamespace } from '../../support/namespace.ts';
import { temporalAddress } from '../../support/servers.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';

/** As the cloud names them. */
const NAMESPACE = `agents-${randomUUID()}.a1b2c`;
const BARE = `bare-${randomUUID()}.a1b2c`;
const API_KEY = 'secret-key';

let files: Certificates;
let front: CloudFront;
let system: TestSystem;
/** All that a process is told of the cloud. */
let env: Record<string, string>;

beforeAll(async () => {
  files = await makeCertificates();
  await createTestNamespace({ name: NAMESPACE });
  await createTestNamespace({ name: BARE, searchAttributes: false });
  const known = { apiKey: API_KEY, namespaces: [NAMESPACE, BARE] };
  front = await startCloudFront(temporalAddress(), files, known);
  system = await startTestSystem();
  env = {
    ...system.env,
    TEMPORAL_ADDRESS: front.address,
    TEMPORAL_NAMESPACE: NAMESPACE,
    TEMPORAL_API_KEY: API_KEY,
    // The cloud's is one that everybody trusts.
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: files.ca,
    TEST_AGENTS: 'of workers',
  };
});
afterAll(async () => {
  await (system as TestSystem | undefined)?.close();
  await (front as CloudFront | undefined)?.stop();
  await (files as Certificates | undefined)?.remove();
});

async function command(args: string[], more: Record<string, string> = {}) {
  const { code, stdout, stderr } = await runCommand([...args, '--json'], { ...env, ...more });
  return { code, json: JSON.parse(stdout) as Record<string, unknown>, stderr };
}

const inputOf = (label: string): string =>
  JSON.stringify(script(calls(['look', { label }]), { say: 'seen' }));

test('a worker, a start, a list and the doctor need an API key and the name of the namespace alone', async () => {
  const worker = await system.startWorker(env);
  const start = ['start', 'tester', '--key', 'cloud-1', '--input-json', inputOf('cloud-1')];
  expect(await command([...start, '--wait'])).toMatchObject({
    code: 0,
    json: { status: 'completed', result: 'seen', replayed: false },
  });
  expect(await command(start)).toMatchObject({ code: 0, json: { replayed: true } });
  expect(await command(['list', '--status', 'completed'])).toMatchObject({
    code: 0,
    json: { runs: [{ agent: 'tester', key: 'cloud-1', status: 'completed' }] },
  });
  if (hasExtra('maintenance')) {
    const doctor = await command(['doctor']);
    const findings = doctor.json['findings'] as { about: string; state: string; says: string }[];
    expect(findings.filter(({ state }) => state === 'problem')).toEqual([]);
    expect(findings).toContainEqual({
      about: 'temporal',
      state: 'ok',
      says: expect.stringContaining(`${front.address}, namespace ${NAMESPACE}`),
    });
    expect(findings).toContainEqual(expect.objectContaining({ about: 'workers', state: 'ok' }));
  }
  await worker.stop();
  expect(worker.output()).not.toContain(API_KEY);

  // All of it went through the front, which has refused nothing but to list search attributes.
  const of = (method: string) =>
    front.passed.get(`/temporal.api.workflowservice.v1.WorkflowService/${method}`) ?? 0;
  expect(of('StartWorkflowExecution')).toBeGreaterThan(0);
  expect(of('PollWorkflowTaskQueue')).toBeGreaterThan(0);
  expect(of('RespondActivityTaskCompleted')).toBeGreaterThan(0);
  expect([...front.refused]).toEqual([
    '/temporal.api.operatorservice.v1.OperatorService/ListSearchAttributes: no operator service',
  ]);
});

test('search attributes that are missing are told by the start, which works without them', async () => {
  const bare = { TEMPORAL_NAMESPACE: BARE };
  const start = ['start', 'tester', '--key', 'bare', '--input', 'x'];
  const refused = await command(start, bare);
  expect(refused).toMatchObject({
    code: 6,
    json: { error: { message: expect.stringMatching(/AgentName|search attribute/) } },
  });
  const without = { ...bare, AGENT_ONCE_SEARCH_ATTRIBUTES: 'off' };
  expect(await command(start, without)).toMatchObject({ code: 0, json: { status: 'running' } });
});

test.each([
  ['another API key', { TEMPORAL_API_KEY: 'another-key' }],
  ['another namespace', { TEMPORAL_NAMESPACE: 'other.a1b2c' }],
])('with %s a command and a worker say that they are refused', async (_what, more) => {
  const start = await command(['start', 'tester', '--input', 'x'], more);
  expect(start).toMatchObject({
    code: 6,
    json: { error: { message: expect.stringMatching(/refused these credentials/) } },
  });
  const worker = await runCommand(['worker'], { ...env, ...more });
  expect(worker).toMatchObject({
    code: 6,
    stderr: expect.stringMatching(/refused these credentials/),
  });
  expect(JSON.stringify([start, worker])).not.toMatch(/another-key|secret-key/);
});
