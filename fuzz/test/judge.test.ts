import { expect, test } from '@jest/globals';
import type { StepEvidence } from '../../chaos/evidence.ts';
import { createRandom } from '../../chaos/random.ts';
import { judgeFuzz, type FuzzEvidence } from '../judge.ts';
import { nextOrder, OPERATIONS } from '../operations.ts';

const WORKFLOW = 'agent-chaos-one';
const CHARGE = 'first:t1.c0';

/** Two generations of a key: a run that charged and was forgotten, and its successor, which did too. */
function wellDone(): FuzzEvidence & { steps: StepEvidence[] } {
  const step = (token: string, kind: 'model' | 'tool'): StepEvidence => ({
    token,
    workflowId: WORKFLOW,
    name: kind === 'model' ? 'scripted' : 'charge',
    kind,
    state: 'completed',
    createdAt: token.startsWith('first') ? 0 : 210,
    attempts: 1,
    unknownAttempts: 0,
    knownBy: null,
    errors: [],
    didNotHappenAt: [],
    approvedAt: [],
  });
  const effect = (token: string, at: number) => ({
    tool: 'charge',
    label: 'one',
    pid: 1,
    at,
    token,
  });
  const start = {
    process: 1,
    surface: 'http',
    operation: 'start',
    key: 'one',
    code: 'ok',
  } as const;
  return {
    answers: [
      { ...start, status: 202, runId: 'r1', made: true },
      { ...start, surface: 'library', runId: 'r1', made: false },
      { ...start, operation: 'forget', status: 409, code: 'run.still_running' },
      { ...start, status: 202, runId: 'r2', made: true },
    ],
    broken: [],
    classes: { charge: 'keyed', look: 'read' },
    keys: new Map([[WORKFLOW, 'one']]),
    executions: [
      { workflowId: WORKFLOW, runId: 'r1', type: 'agentRun', startedAt: 0, closedAt: 200 },
      { workflowId: WORKFLOW, runId: 'f1', type: 'forgotten', startedAt: 200, closedAt: 201 },
      { workflowId: WORKFLOW, runId: 'r2', type: 'agentRun', startedAt: 201, closedAt: 400 },
    ],
    effects: [effect(CHARGE, 100), effect('second:t1.c0', 300)],
    steps: [
      step('first:t1.model', 'model'),
      step(CHARGE, 'tool'),
      step('second:t1.model', 'model'),
      step('second:t1.c0', 'tool'),
    ],
    modelRequests: { 'first:t1.model': 1, 'second:t1.model': 1 },
    open: [],
  };
}

function foundIn(change: Partial<FuzzEvidence>): string[] {
  return judgeFuzz({ ...wellDone(), ...change }).map(({ what }) => what);
}

const { answers, effects, executions, modelRequests, steps } = wellDone();
const [charged] = effects;
const [told] = answers;
if (!charged || !told) throw new Error('Nothing was done');

test('what went well is clean', () => {
  expect(foundIn({})).toEqual([]);
});

test.each<[string, string[], Partial<FuzzEvidence>]>([
  [
    'an effect twice under one token',
    ['doubled'],
    { effects: [...effects, { ...charged, at: 150 }] },
  ],
  [
    'an effect that no step has',
    ['stray-effect'],
    { effects: [...effects, { ...charged, token: 'x:t1.c0' }] },
  ],
  ['a step without its effect', ['lost'], { effects: effects.slice(1) }],
  [
    'an effect of a forgotten run after one of its successor',
    ['two-live-runs'],
    { effects: [{ ...charged, at: 350 }, ...effects.slice(1)] },
  ],
  [
    'a run that begins before the one before it has ended',
    ['two-live-runs'],
    {
      executions: executions.map((execution) =>
        execution.runId === 'r1' ? { ...execution, closedAt: 250 } : execution,
      ),
    },
  ],
  [
    'two who made one run',
    ['two-made-one-run'],
    { answers: [...answers, { ...told, process: 2 }] },
  ],
  ['a run that Temporal does not have', ['unknown-run'], { answers: [{ ...told, runId: 'r9' }] }],
  [
    'a 5xx of the service',
    ['server-error'],
    { answers: [{ ...told, status: 503, code: 'temporal.unreachable' }] },
  ],
  [
    'an answer that this call must not get',
    ['unexpected-answer'],
    { answers: [{ ...told, status: 404, code: 'run.not_found' }] },
  ],
  [
    'a call without an answer',
    ['unexpected-answer'],
    { answers: [{ ...told, code: 'no answer that can be read' }] },
  ],
  [
    'a model that was paid twice',
    ['model-paid-again'],
    { modelRequests: { ...modelRequests, 'first:t1.model': 2 } },
  ],
  [
    'a model request of no step',
    ['model-stranger'],
    { modelRequests: { ...modelRequests, 'x:t1.model': 1 } },
  ],
  [
    'a run that does not end',
    ['stuck'],
    { open: [{ key: 'one', runId: 'r2', status: 'running', waiting: [] }] },
  ],
  ['a process that ended by itself', ['broken-process'], { broken: ['client process 3'] }],
])('%s is found', (_what, expected, change) => {
  expect(foundIn(change)).toEqual(expected);
});

test('a call that a person decided, and one that reads, may have no effect or more', () => {
  const denied = steps.map((step) =>
    step.token === CHARGE ? { ...step, knownBy: 'person' } : step,
  );
  expect(foundIn({ steps: denied, effects: effects.slice(1) })).toEqual([]);
  const reads = steps.map((step) => (step.token === CHARGE ? { ...step, name: 'look' } : step));
  expect(foundIn({ steps: reads, effects: [...effects, { ...charged, at: 150 }] })).toEqual([]);
});

test('the same seed gives the same orders, of all kinds, another one others', () => {
  const keys = [{ key: 'one', inputs: ['a', 'b'] as [string, string] }];
  const orders = (seed: number) => {
    const random = createRandom(seed);
    return Array.from({ length: 200 }, () => nextOrder(keys, random));
  };
  expect(orders(7)).toEqual(orders(7));
  expect(orders(8)).not.toEqual(orders(7));
  expect(new Set(orders(7).map(({ operation }) => operation))).toEqual(new Set(OPERATIONS));
});
