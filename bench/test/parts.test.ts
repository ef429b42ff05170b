import { expect, test } from '@jest/globals';
import { sequential, scansIn, type PlanNode } from '../ledger/plans.ts';
import { timeOrderedUuid } from '../ledger/operations.ts';
import { conversation, longQuestion, textOf } from '../long/conversation.ts';
import { bytesPerTurn, halvesOf } from '../long/history.ts';
import { readPath } from '../recovery/gate.ts';
import { percentile } from '../statistics.ts';

type Events = Parameters<typeof bytesPerTurn>[0];

const taskAt = (bytes: number) => ({
  workflowTaskStartedEventAttributes: { historySizeBytes: bytes },
});
const scheduled = (name: string) => ({
  activityTaskScheduledEventAttributes: { activityType: { name } },
});

test("a turn's bytes are what Temporal counts from one model call to the next", () => {
  const events = [
    taskAt(1_000),
    scheduled('callModel'),
    taskAt(1_600),
    scheduled('tool.look_up'),
    taskAt(2_100),
    scheduled('callModel'),
    taskAt(3_300),
    scheduled('callModel'),
    taskAt(3_400),
  ] as unknown as Events;
  expect(bytesPerTurn(events)).toEqual([1_100, 1_200]);
});

test('what turns cost is compared between halves, without the first one', () => {
  expect(halvesOf([900_000, 100, 110, 120, 130])).toEqual({
    first: 105,
    last: 125,
    ratio: 125 / 105,
  });
  // One in the middle is in neither.
  expect(halvesOf([900_000, 100, 500, 200])).toEqual({ first: 100, last: 200, ratio: 2 });
});

test('the long conversation has 209,000 tokens, where the script plays it or a tool brings it', () => {
  expect(Buffer.byteLength(conversation())).toBe(836_000);
  // It compresses as text does, neither like noise nor like a repeated word.
  expect(new Set(textOf(50_000).split(' ')).size).toBeGreaterThan(2_000);

  const brought = JSON.parse(longQuestion(4, 'look', 'read')) as { script: object[] };
  expect(brought.script).toHaveLength(4);
  expect(JSON.stringify(brought)).toContain('"name":"read"');
  const given = longQuestion(4, 'look');
  expect((JSON.parse(given) as { script: object[] }).script).toHaveLength(5);
  expect(given).toContain(conversation());
});

test('a percentile is a value that so many per cent do not exceed', () => {
  const values = Array.from({ length: 20 }, (_, index) => 20 - index);
  expect(percentile(values, 95)).toBe(19);
  expect(percentile(values, 100)).toBe(20);
  expect(percentile([7], 95)).toBe(7);
  expect(() => percentile([], 95)).toThrow(RangeError);
});

test('a request at the gate says which worker asks, and for what', () => {
  expect(readPath('/worker-1/model/v1/chat/completions')).toEqual({
    worker: 'worker-1',
    kind: 'model',
    rest: '/v1/chat/completions',
  });
  expect(readPath('/worker-2/tool/count/look').kind).toBe('tool');
  expect(() => readPath('/worker-1/other/x')).toThrow('Nobody asks');
});

test('a plan that reads all of a large table is found, wherever in the plan it is', () => {
  const plan: PlanNode = {
    'Node Type': 'ModifyTable',
    'Relation Name': 'steps',
    Plans: [
      { 'Node Type': 'Index Scan', 'Relation Name': 'steps', 'Index Name': 'steps_pkey' },
      {
        'Node Type': 'Nested Loop',
        Plans: [
          { 'Node Type': 'Seq Scan', 'Relation Name': 'shares' },
          { 'Node Type': 'Seq Scan', 'Relation Name': 'ledger' },
          {
            'Node Type': 'Bitmap Heap Scan',
            'Relation Name': 'questions',
            Plans: [{ 'Node Type': 'Bitmap Index Scan', 'Index Name': 'questions_pkey' }],
          },
        ],
      },
    ],
  };
  const scans = scansIn(plan);
  expect(scans).toEqual([
    { table: 'steps', how: 'Index Scan using steps_pkey' },
    { table: 'shares', how: 'Seq Scan' },
    { table: 'ledger', how: 'Seq Scan' },
    { table: 'questions', how: 'Bitmap Heap Scan using questions_pkey' },
  ]);
  const plans = [
    { what: 'a look', statement: 'SELECT 1', scans: { own: [], generic: scans }, pages: 4 },
  ];
  expect(sequential(plans, ['steps', 'questions'])).toEqual([]);
  expect(sequential(plans, ['steps', 'shares'])).toEqual(['a look reads all of shares:\nSELECT 1']);
});

test('the scopes of new runs begin with the time, as IDs of executions do', () => {
  const id = timeOrderedUuid(0x0199_1234_5678);
  expect(id).toMatch(/^01991234-5678-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
