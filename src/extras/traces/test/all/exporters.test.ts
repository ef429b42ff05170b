import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runCommand } from '../../../../../test/support/cli.ts';
import { startTestSystem, type TestSystem } from '../../../../../test/support/system.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system.close());

test('OTEL_TRACES_EXPORTER=console writes each span as a line of JSON to stderr', async () => {
  const env = { ...system.env, OTEL_TRACES_EXPORTER: 'console' };
  const { code, stdout, stderr } = await runCommand(['list', '--json'], env);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toBeDefined();
  expect(
    stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    expect.objectContaining({
      span: 'agent-once list',
      service: 'agent-once-cli',
      trace_id: expect.stringMatching(/^[\da-f]{32}$/),
      attributes: { 'process.exit.code': 0 },
    }),
  ]);
});

test.each([
  ['OTEL_TRACES_EXPORTER', 'zipkin'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
])('%s=%s ends what serves, and a command says that it is not traced', async (name, value) => {
  const env = { ...system.env, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', [name]: value };
  const listed = await runCommand(['list', '--json'], env);
  expect(listed).toMatchObject({ code: 0, stderr: expect.stringContaining(name) });
  expect(listed.stderr).toMatch(/^This command is not traced\. /);
  const worker = await runCommand(['worker'], env);
  expect(worker).toMatchObject({ code: 2, stderr: expect.stringContaining(name) });
});
