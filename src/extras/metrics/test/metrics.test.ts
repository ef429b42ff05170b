import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../../../test/support/eventually.ts';
import { hasExtra } from '../../../../test/support/extras.ts';
import { runCommand } from '../../../../test/support/cli.ts';
import { parseExposition, sumOf, type Sample } from './support/exposition.ts';
import {
  makeRuns,
  SECRET_KEY,
  startMeasuredSystem,
  type MeasuredSystem,
} from './support/measured-system.ts';
import { alerts, queries, selectorsOf } from './support/queries.ts';

/** Its starts come by HTTP, as those of an operator's callers. */
const suite = hasExtra('service') ? describe : describe.skip;

const page = readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8');

/** A row of the page: a metric, its labels with the values that the page names, and who tells it. */
const documented = [
  ...page.matchAll(/^\| `(\w+)` +\| (\w+) +\| (.*?) +\| ((?:worker|service)[^|]*?) +\|/gm),
].map(([, name = '', type, labels = '', processes = '']) => ({
  name,
  type,
  processes: processes.split(/\W+/),
  labels: new Map(
    [...labels.matchAll(/`(\w+)`(?: \(([^)]*)\))?/g)].map(([, label = '', values = '']) => [
      label,
      [...values.matchAll(/`([^`]+)`/g)].map(([, value]) => value ?? ''),
    ]),
  ),
}));

suite('what a worker and a service tell after real runs', () => {
  let measured: MeasuredSystem;
  let worker: string;
  let service: string;

  beforeAll(async () => {
    measured = await startMeasuredSystem();
    await makeRuns(measured);
    // The worker has heard of the ends a moment before whoever asks Temporal.
    worker = await eventually(async () => {
      const text = await measured.worker.scrapeTwice();
      expect(sumOf(text, 'agent_once_runs_total', { outcome: 'cancelled' })).toBe(1);
      return text;
    });
    // Each series is told as 0 once.
    service = await measured.service.scrapeTwice();
  });
  afterAll(() => measured.close());

  test('runs are counted by agent, outcome and cause', () => {
    const of = (agent: string, outcome: string, code = '') =>
      sumOf(worker, 'agent_once_runs_total', { agent, outcome, code });
    expect(of('tester', 'completed')).toBe(2);
    expect(of('short', 'failed', 'run.turn_limit')).toBe(1);
    expect(of('short', 'completed')).toBe(1);
  });

  test('duplicates that were absorbed are told from new runs and from conflicts', () => {
    const of = (answer: string) =>
      sumOf(service, 'agent_once_starts_total', { agent: 'tester', answer });
    expect({
      new: of('new'),
      attached: of('attached'),
      replayed: of('replayed'),
      conflict: of('conflict'),
    }).toEqual({ new: 5, attached: 1, replayed: 1, conflict: 1 });
    expect(sumOf(service, 'agent_once_starts_total', { answer: 'error' })).toBe(1);
  });

  test.each<[string, Record<string, string>, number]>([
    ['executed', { tool: 'charge', effect: 'keyed', end: 'executed' }, 1],
    ['executed in a transaction', { tool: 'note', effect: 'transactional', end: 'executed' }, 1],
    ['taken from the ledger', { agent: 'short', tool: 'look', end: 'ledger' }, 2],
    ['left with an unknown outcome', { tool: 'send', effect: 'at-most-once', end: 'unknown' }, 1],
    ['failed', { tool: 'flaky', end: 'failed' }, 1],
    ['tried again', { tool: 'flaky', end: 'executed' }, 1],
    ['cancelled', { tool: 'endless', end: 'cancelled' }, 1],
    ['a model call from the ledger', { agent: 'short', kind: 'model', end: 'ledger' }, 2],
  ])('a step that was %s is counted so', (_, labels, times) => {
    expect(sumOf(worker, 'agent_once_steps_total', labels)).toBe(times);
  });

  test('retries are counted, and by cause', () => {
    const of = (tool: string, code: string) =>
      sumOf(worker, 'agent_once_step_errors_total', { tool, code });
    expect(of('flaky', 'tool.failed')).toBe(1);
    expect(of('', 'model.broken_off')).toBe(1);
    const again = { answer: 'claimed_again', kind: 'tool' };
    expect(sumOf(worker, 'agent_once_step_claims_total', again)).toBe(1);
  });

  test('tokens and money are told by agent and model, cached input apart, and what may be paid', () => {
    const tokens = (kind: string) =>
      sumOf(worker, 'agent_once_model_tokens_total', { agent: 'thrifty', kind });
    expect({
      input: tokens('input'),
      cached: tokens('cached_input'),
      output: tokens('output'),
      reasoning: tokens('reasoning'),
    }).toEqual({ input: 2_000, cached: 18_000, output: 80, reasoning: 120 });
    // 1,000 of input, 9,000 cached and 100 of output are 0.004725 (test/run/cached-input.test.ts).
    const labels = { agent: 'thrifty', model: 'gpt-5.2' };
    expect(sumOf(worker, 'agent_once_model_cost_usd_total', labels)).toBeCloseTo(0.00945, 9);
    expect(sumOf(worker, 'agent_once_model_answers_total', { ...labels, cost: 'known' })).toBe(2);
    expect(sumOf(worker, 'agent_once_model_possibly_paid_total', { agent: 'tester' })).toBe(1);
  });

  test('what waits for a person is told by agent, tool and kind, and since when', async () => {
    for (const [key, tool, kind] of [
      ['approval', 'spend', 'approval'],
      ['unknown', 'send', 'outcome'],
    ] as const) {
      const labels = { tenant: 'default', agent: 'tester', tool, kind };
      expect(sumOf(worker, 'agent_once_open_questions', labels)).toBe(1);
      const { waiting } = await measured.system.client.describe({ agent: 'tester', key });
      const since = sumOf(worker, 'agent_once_oldest_question_timestamp_seconds', labels);
      expect(since * 1_000).toBeCloseTo(Date.parse(waiting[0]?.askedAt ?? ''), 0);
    }
  });

  test('the ledger tells its latency by call, and its connections', () => {
    for (const call of ['claim', 'complete', 'fail', 'transact']) {
      const labels = { call, outcome: 'answered' };
      expect(sumOf(worker, 'agent_once_ledger_call_seconds_count', labels)).toBeGreaterThan(0);
    }
    expect(sumOf(worker, 'agent_once_ledger_connections', { state: 'idle' })).toBeGreaterThan(0);
    const slots = { worker_type: 'ActivityWorker', task_queue: 'agent-once' };
    expect(sumOf(worker, 'temporal_worker_task_slots_available', slots)).toBeGreaterThan(1_000);
  });

  test('each process tells what it is, and what waits in the task queues that it needs', () => {
    for (const [text, part] of [
      [worker, 'worker'],
      [service, 'service'],
    ] as const) {
      const began = sumOf(text, 'agent_once_process_start_time_seconds', { part });
      expect(began * 1_000).toBeLessThan(Date.now());
      for (const kind of ['workflow', 'activity']) {
        const labels = { task_queue: 'agent-once', kind };
        expect(sumOf(text, 'agent_once_task_queue_pollers', labels)).toBe(1);
        expect(sumOf(text, 'agent_once_task_queue_backlog_tasks', labels)).toBe(0);
      }
    }
  });

  test('no key and no secret is in any of it, and a tenant only where it waits for a person', () => {
    for (const text of [worker, service]) {
      expect(text).not.toContain(SECRET_KEY);
      const tenants = parseExposition(text).samples.filter(({ labels }) => 'tenant' in labels);
      for (const { name } of tenants) {
        expect(name).toMatch(/^agent_once_(open_questions|oldest_question_timestamp_seconds)$/);
      }
      expect(text).not.toContain(measured.system.env['LEDGER_URL']);
    }
  });

  test('the page names each metric of ours with its type, its labels and its process, and no other', () => {
    for (const [process, text] of Object.entries({ worker, service })) {
      const { types, samples } = parseExposition(text);
      const told = [...types]
        .filter(([name]) => name.startsWith('agent_once_'))
        .map(([name, type]) => ({ name, type, labels: labelsOf(samples, name) }));
      const rows = documented
        .filter((row) => row.name.startsWith('agent_once_') && row.processes.includes(process))
        .map(({ name, type, labels }) => ({ name, type, labels: [...labels.keys()].sort() }));
      const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);
      expect(told.sort(byName)).toEqual(rows.sort(byName));
    }
  });

  test.each(queries)('$of reads what the processes tell, by labels that they have', ({ expr }) => {
    const both = [parseExposition(worker), parseExposition(service)];
    const selectors = selectorsOf(expr);
    expect(selectors.length).toBeGreaterThan(0);
    for (const { metric, labels } of selectors) {
      const samples = both.flatMap((each) => each.samples).filter(({ name }) => name === metric);
      expect({ metric, told: samples.length > 0 }).toEqual({ metric, told: true });
      const row = documented.find(({ name }) => metric.replace(/_(bucket|count)$/, '') === name);
      expect({ metric, documented: row !== undefined }).toEqual({ metric, documented: true });
      for (const { name, values } of labels) {
        const there = samples.some((sample) => name in sample.labels);
        expect({ metric, name, there }).toEqual({ metric, name, there: true });
        // A value that nothing has yet is one that the page names.
        expect(row?.labels.get(name)).toEqual(expect.arrayContaining(values));
      }
    }
  });

  test('a port in use ends the command with the variable to change', async () => {
    const port = new URL(await measured.worker.told(/Metrics are at (http:\S+\/metrics)/)).port;
    const env = { ...measured.system.env, AGENT_ONCE_METRICS_PORT: port };
    const { code, stderr } = await runCommand(['serve', '--open', '--port', '0'], env);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(new RegExp(`${port}.*AGENT_ONCE_METRICS_PORT.*port\\.in_use`)),
    });
  });

  test('a command that fails at its start ends, though its metrics are told by then', async () => {
    const env = { ...measured.system.env, AGENT_ONCE_METRICS_PORT: '0' };
    const { code, stderr } = await runCommand(['serve', '--open', '--host', '0.0.0.0'], env);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/Metrics are at http:[\s\S]*config\.invalid/),
    });
  });
});

test('the page says for each alert what to do, and for no other', () => {
  const named = [...page.matchAll(/^\| `(AgentOnce\w+)`/gm)].map(([, name]) => name);
  expect(named).toEqual(alerts.map(({ alert }) => alert));
});

/** Of all series of a metric; those that a histogram has besides are its own. */
function labelsOf(samples: readonly Sample[], metric: string): string[] {
  const names = new Set(
    samples
      .filter(({ name }) => name.replace(/_(bucket|count|sum)$/, '') === metric)
      .flatMap(({ labels }) => Object.keys(labels)),
  );
  names.delete('le');
  return [...names].sort();
}
