import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import fc from 'fast-check';
import { pino } from 'pino';
import { coloursOf } from '../../../cli/output.ts';
import { sha256Base64url } from '../../../contract/hash.ts';
import { workflowIdOf } from '../../../contract/key.ts';
import { AgentOnceError } from '../../../contract/errors.ts';
import { describeEntry, OF_STEP, type Fields } from '../describe-entry.ts';
import { pinoOptions } from '../pino-options.ts';
import { terminalLine } from '../terminal-line.ts';

const KEY = 'planted-key-4712';
const ID = workflowIdOf({ tenant: 'acme', agent: 'support', key: KEY });
const PLAIN = { telemetryKey: undefined, secrets: [], stacks: false };

const describe = (fields: Fields, more = {}): Record<string, unknown> =>
  describeEntry(fields, '', { ...PLAIN, ...more })[0];

/** Any UTF-16 text, lone surrogates, control characters and all. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(10, 13, 27, 0x2028, 0x202e)))
  .map((units) => String.fromCharCode(...units));

test('whatever stands in an entry, it is one line of JSON, and a terminal shows it in one', () => {
  fc.assert(
    fc.property(anyText, fc.anything({ withBigInt: true }), (text, value) => {
      const error = Object.assign(new Error(text, { cause: new Error(text) }), { name: text });
      let written = '';
      const options = pinoOptions('worker', 'info', PLAIN);
      const log = pino(options, { write: (json) => (written += json) });
      log.info({ error, value, [text]: text, level: text, msg: text }, text);
      const json = written.trimEnd();
      expect(json).not.toMatch(/[\n\r]/);
      expect(JSON.parse(json)).toMatchObject({ level: 'info', part: 'worker' });
      expect(terminalLine(json, coloursOf(process.stderr))).not.toMatch(
        /[\p{Cc}\p{Cs}\u2028\u202e]/u,
      );
    }),
  );
});

test.each([
  ['the workflow ID', { workflowId: ID }],
  ['a span of its core', { spanContexts: { poll: { workflow_id: ID } } }],
  ['a task token', { said: `of TaskToken(${Buffer.from(ID).toString('base64')})` }],
  ['a message of its own run', { workflowId: ID, error: new Error(`no ${KEY}!`) }],
  ['the plain hash', { workflowId: ID, error: new Error(sha256Base64url(KEY)) }],
  ['a message of any run', { error: new Error(`(${ID})`) }],
  ['a field of a tool', { workflowId: ID, said: { deep: [`for ${KEY}`] } }],
  ['the name of a field', { workflowId: ID, [KEY]: 1 }],
  ['a field that has the name of a request', { workflowId: ID, res: { text: KEY } }],
  ['a key that is hashed in the ID', { said: `agent-support-~${sha256Base64url(KEY)}` }],
])('a key is not logged with %s', (_name, fields) => {
  const text = JSON.stringify(describe(fields));
  expect(text).not.toContain(KEY);
  expect(text).not.toContain(sha256Base64url(KEY));
  expect(text).not.toContain(Buffer.from(ID).toString('base64'));
});

test('names of our own that begin like a workflow ID stay as they are', () => {
  const said =
    'agent-once-model, agent-once-tools, agent-once-ledger-cleanup, agent-once-worker-7d9f-x';
  expect(describe({ said })).toEqual({ said });
});

test.each([
  ['of ours by its code', new AgentOnceError('ledger.invalid', 'no'), 'ledger.invalid'],
  ["of Temporal's by its type", ApplicationFailure.create({ type: 'tool.failed' }), 'tool.failed'],
  ['of the system by its name', new TypeError('no'), 'TypeError'],
])('an error %s', (_name, error, type) => {
  expect(describe({ error })).toMatchObject({ err: { type } });
});

test('stacks and causes are for debugging, and passwords for nobody', () => {
  const cause = new Error('refused: hunter-2');
  const error = new Error('no', { cause });
  expect(describe({ error })).toEqual({ err: { type: 'Error', message: 'no' } });
  expect(describe({ error }, { stacks: true, secrets: ['hunter-2'] })).toMatchObject({
    err: {
      stack: expect.stringMatching(/\n +at /),
      cause: { message: 'refused: [redacted]', stack: expect.not.stringContaining('hunter-2') },
    },
  });
});

const page = readFileSync(new URL('../../../../docs/logs.md', import.meta.url), 'utf8');
const table = page.slice(page.indexOf('| field'), page.indexOf('What a tool logs'));
const documented = [...table.matchAll(/^\| (`.*?`) +\|/gm)]
  .flatMap(([, names = '']) => [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => name))
  .filter((name) => name !== 'err');

/** What Temporal's library and we know of a step. */
const OWN = {
  workflowId: ID,
  workflowRunId: 'a-run-id',
  activityType: 'tool.charge',
  taskQueue: 'agent-once',
  attempt: 1,
  step: 't1.c0',
  token: 'a-scope:t1.c0',
  trace_id: 'a-trace',
};
/** What a tool logs with `ctx.log`. */
const ofTool = (fields: Fields) =>
  describe(
    { sdkComponent: 'activity', ...OWN, [OF_STEP]: OWN, ...fields },
    { telemetryKey: 'a-key-of-the-operators' },
  );

test.each(documented)('a field %s of a tool does not stand for that of the line', (name) => {
  const { [`${name}_`]: theirs, ...line } = ofTool({ [name]: 'of the tool' });
  expect(theirs).toBe('of the tool');
  expect(line).toEqual(ofTool({}));
});

test('names by which Temporal knows a run are not taken from a tool either', () => {
  const own = { workflowId: 'agent-other-4711', workflowRunId: 'another' };
  const line = ofTool({ ...own, said: `for ${KEY}` });
  expect(line).toMatchObject({ ...ofTool({}), said: 'for [key]', workflowRunId_: 'another' });
});

test('a workflow of the app cannot name a step, and has its own task queue', () => {
  const fields = { sdkComponent: 'workflow', taskQueue: 'agent-once', step: 'first', mood: 'good' };
  expect(describe({ ...fields, step_: 0 })).toMatchObject({
    taskQueue: 'agent-once',
    mood: 'good',
  });
});
