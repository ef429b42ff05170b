import { describe, expect, test } from '@jest/globals';
import { readTraceSettings } from '../settings.ts';

const disabled = { OTEL_SDK_DISABLED: 'true', OTEL_TRACES_EXPORTER: 'zipkin' };
const grpc = { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

describe('traces are', () => {
  test.each<[is: 'on' | 'off', where: string, env: Record<string, string>]>([
    ['off', 'nothing is set', {}],
    ['on', 'an endpoint is set', endpoint],
    ['on', 'one of traces alone', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:1' }],
    ['on', 'the exporter is named', { OTEL_TRACES_EXPORTER: 'otlp' }],
    ['off', 'the exporter is none', { ...endpoint, OTEL_TRACES_EXPORTER: 'none' }],
    ['off', 'the SDK is disabled', { ...endpoint, OTEL_SDK_DISABLED: 'true' }],
    ['off', 'the SDK is disabled, whatever else is set', { ...disabled, ...grpc }],
    ['off', 'an endpoint is empty', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
  ])('%s where %s', (is, _where, env) => {
    expect(readTraceSettings(env).exporters).toEqual(is === 'on' ? ['otlp'] : []);
  });
});

test('they go to whom the variable names, and to several in a list', () => {
  const to = (names: string) => readTraceSettings({ OTEL_TRACES_EXPORTER: names }).exporters;
  expect(to('console')).toEqual(['console']);
  expect(to('otlp, console')).toEqual(['otlp', 'console']);
  // What is not for OTLP is asked of none that is.
  expect(readTraceSettings({ ...grpc, OTEL_TRACES_EXPORTER: 'console' }).exporters).toEqual([
    'console',
  ]);
});

test('the protocol of traces wins over that of everything; without one it is protobuf', () => {
  const json = { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
  expect(readTraceSettings(endpoint).protocol).toBe('http/protobuf');
  expect(readTraceSettings(json).protocol).toBe('http/json');
  const both = { ...json, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf' };
  expect(readTraceSettings(both).protocol).toBe('http/protobuf');
});

test.each([
  ['OTEL_TRACES_EXPORTER', 'zipkin'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'http'],
])('%s=%s is refused, with what to set', (name, value) => {
  expect(() => readTraceSettings({ ...endpoint, [name]: value })).toThrow(
    expect.objectContaining({ code: 'config.invalid', message: expect.stringContaining(name) }),
  );
});
