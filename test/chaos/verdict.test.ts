import { describe, expect, test } from '@jest/globals';
import type { Evidence, StepEvidence } from '../../chaos/evidence.ts';
import { judge } from '../../chaos/verdict.ts';

const CLASSES = {
  look: 'read',
  charge: 'keyed',
  note: 'transactional',
  book: 'reconcile',
  send: 'at-most-once',
} as const;
type Tool = keyof typeof CLASSES;
const TOOLS = Object.keys(CLASSES) as Tool[];

/** One run in which nothing went wrong: the model asks for every tool once. */
function wellDone(): Evidence {
  const workflowId = 'agent-chaos-one';
  const step = (token: string, name: string, kind: 'model' | 'tool'): StepEvidence => ({
    token,
    workflowId,
    name,
    kind,
    state: 'completed',
    attempts: 1,
    unknownAttempts: 0,
    errors: [],
  });
  return {
    classes: CLASSES,
    runs: [
      {
        key: 'one',
        workflowId,
        expected: TOOLS.map((tool) => ({ tool, label: 'one' })),
        told: [true, false].map((replayed) => ({
          key: 'one',
          replayed,
          runId: 'r',
          status: 'completed',
          result: 'done',
          error: null,
        })),
      },
    ],
    effects: TOOLS.map((tool) => ({ tool, label: 'one' })),
    modelRequests: { 's:t1.model': 1, 's:t2.model': 1 },
    steps: [
      step('s:t1.model', 'scripted', 'model'),
      ...TOOLS.map((tool, index) => step(`s:t1.c${index}`, tool, 'tool')),
      step('s:t2.model', 'scripted', 'model'),
    ],
    executions: [
      {
        workflowId,
        runId: 'r',
        status: 'COMPLETED',
        result: '"done"',
        failure: null,
        completions: {
          callModel: 2,
          ...Object.fromEntries(TOOLS.map((tool) => [`tool.${tool}`, 1])),
        },
      },
    ],
  };
}

/** What is found once the evidence is changed. */
function foundAfter(change: (evidence: Evidence) => void): string[] {
  const evidence = wellDone();
  change(evidence);
  const { clean, findings } = judge(evidence);
  expect(clean).toBe(findings.length === 0);
  return findings.map(({ what, class: kind }) => (kind === null ? what : `${what} ${kind}`));
}

const twice = (evidence: Evidence, tool: Tool, times = 2): void => {
  for (let more = 1; more < times; more += 1) evidence.effects.push({ tool, label: 'one' });
};
const stepOf = ({ steps }: Evidence, name: string): StepEvidence => {
  const found = steps.find((step) => step.name === name);
  if (!found) throw new Error(`No step ${name}`);
  return found;
};
const executionOf = ({ executions: [execution] }: Evidence) => {
  if (!execution) throw new Error('No execution');
  return execution;
};

test('a run that went well is clean, and counted in its classes', () => {
  expect(foundAfter(() => undefined)).toEqual([]);
  const { classes } = judge(wellDone());
  expect(classes).toHaveLength(6);
  for (const { wanted, once } of classes) expect(once).toBe(wanted);
});

describe('an effect that there is twice', () => {
  test.each(['charge', 'note'] as const)('of %s is never allowed', (tool) => {
    const found = foundAfter((evidence) => {
      twice(evidence, tool);
      stepOf(evidence, tool).unknownAttempts = 1;
    });
    expect(found).toEqual([`doubled ${CLASSES[tool]}`]);
  });

  test.each(['book', 'send'] as const)('of %s is allowed if it is reported', (tool) => {
    expect(foundAfter((evidence) => twice(evidence, tool))).toEqual([`doubled ${CLASSES[tool]}`]);
    const reported = (report: (step: StepEvidence) => void, times: number) =>
      foundAfter((evidence) => {
        twice(evidence, tool, times);
        report(stepOf(evidence, tool));
      });
    expect(reported((step) => (step.unknownAttempts = 1), 2)).toEqual([]);
    expect(reported((step) => step.errors.push('step.late_effect'), 2)).toEqual([]);
    expect(reported((step) => step.errors.push('tool.failed'), 2)).toHaveLength(1);
    expect(reported((step) => (step.unknownAttempts = 1), 3)).toHaveLength(1);
  });

  test('of look is no matter', () => {
    expect(foundAfter((evidence) => twice(evidence, 'look'))).toEqual([]);
  });
});

test.each(TOOLS)('an effect of %s that is missing is lost', (tool) => {
  const found = foundAfter((evidence) => {
    evidence.effects = evidence.effects.filter((effect) => effect.tool !== tool);
  });
  expect(found).toEqual([`lost ${CLASSES[tool]}`]);
});

test('an effect that nobody asked for is one too many', () => {
  expect(foundAfter(({ effects }) => effects.push({ tool: 'send', label: 'two' }))).toEqual([
    'stray-effect',
  ]);
});

describe('the model', () => {
  const asked = (token: string, times: number, report?: (step: StepEvidence) => void) =>
    foundAfter((evidence) => {
      evidence.modelRequests[token] = times;
      const step = evidence.steps.find((one) => one.token === token);
      if (step) report?.(step);
    });

  test('may be asked again only as often as the ledger says of', () => {
    expect(asked('s:t1.model', 2)).toEqual(['model-paid-again model']);
    expect(asked('s:t1.model', 2, (step) => (step.unknownAttempts = 1))).toEqual([]);
    expect(asked('s:t1.model', 2, (step) => step.errors.push('step.interrupted'))).toEqual([]);
    expect(asked('s:t1.model', 3, (step) => (step.unknownAttempts = 1))).toHaveLength(1);
  });

  test('is asked for steps alone, and for each', () => {
    expect(asked('stranger', 1)).toEqual(['model-stranger model']);
    expect(asked('s:t2.model', 0)).toEqual(['lost model']);
  });
});

describe('runs', () => {
  test('end well', () => {
    expect(foundAfter((evidence) => (executionOf(evidence).status = 'FAILED'))).toEqual([
      'not-completed',
    ]);
  });

  test('have one execution each, and there are no others', () => {
    const another = (workflowId?: string) =>
      foundAfter((evidence) => {
        const execution = executionOf(evidence);
        evidence.executions.push({ ...execution, workflowId: workflowId ?? execution.workflowId });
      });
    expect(another()).toEqual(['second-execution']);
    expect(another('agent-chaos-two')).toEqual(['second-execution']);
  });

  test('have every step in the ledger completed', () => {
    expect(foundAfter((evidence) => (stepOf(evidence, 'send').state = 'claimed'))).toEqual([
      'ledger-incomplete',
    ]);
  });

  test('have the same steps in history and ledger', () => {
    const found = foundAfter((evidence) => (executionOf(evidence).completions['tool.send'] = 2));
    expect(found).toEqual(['history-differs']);
  });

  test.each([
    ['another result', { result: 'other' }],
    ['another run', { runId: 'other' }],
    ['another status', { status: 'failed' }],
    ['an error', { error: 'key.conflict' }],
    ['that theirs is new', { replayed: false }],
  ])('tell nobody %s', (_what, other) => {
    const found = foundAfter(({ runs: [run] }) => {
      if (run?.told[0]) run.told[0] = { ...run.told[0], ...other };
    });
    expect(found).toEqual(['told-differently']);
  });

  test('tell somebody', () => {
    expect(foundAfter(({ runs: [run] }) => void run?.told.splice(0))).toEqual(['told-differently']);
  });
});
