import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../../../../test/support/eventually.ts';
import { hasExtra } from '../../../../../test/support/extras.ts';
import { findProgram } from '../../../../../test/support/find-program.ts';
import { findFreePort } from '../../serve-metrics.ts';
import { makeRuns, startMeasuredSystem, type MeasuredSystem } from '../support/measured-system.ts';
import { startMeasured, type MeasuredProcess } from '../support/process.ts';
import { alertRules, alerts, queries } from '../support/queries.ts';

const promtool = await findProgram('promtool');
const prometheus = await findProgram('prometheus');
const CONFIGURATION = fileURLToPath(new URL('../../prometheus.yml', import.meta.url));
const NEEDED = 'needs promtool and prometheus: Debian has both in the package "prometheus"';

(promtool ? test : test.skip)(`promtool takes the alert rules (${NEEDED})`, async () => {
  const checked = await promisify(execFile)(promtool ?? '', [
    'check',
    'rules',
    fileURLToPath(alertRules),
  ]);
  expect(checked.stdout).toContain(`${alerts.length} rules found`);
});

(promtool ? test : test.skip)(
  `promtool takes the configuration of Compose (${NEEDED})`,
  async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-promtool-'));
    try {
      const file = path.join(folder, 'prometheus.yml');
      await copyFile(CONFIGURATION, file);
      await copyFile(alertRules, path.join(folder, 'alert-rules.yml'));
      const checked = await promisify(execFile)(promtool ?? '', ['check', 'config', file]);
      expect(checked.stdout).toContain('SUCCESS');
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

(promtool ? test : test.skip)(
  `what is well in one deployment hides nothing of another (${NEEDED})`,
  async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-promtool-'));
    const told = (series: string, value: number) => ({ series, values: `${value}x10` });
    const queue = 'task_queue="agent-once",kind="workflow"';
    const inProduction = (alertname: string) => ({
      labels: `{alertname="${alertname}", job="production"}`,
      value: 1,
    });
    try {
      await copyFile(alertRules, path.join(folder, 'alert-rules.yml'));
      const file = path.join(folder, 'test.yml');
      await writeFile(
        file,
        JSON.stringify({
          rule_files: ['alert-rules.yml'],
          evaluation_interval: '1m',
          tests: [
            {
              interval: '1m',
              input_series: [
                told('agent_once_process_start_time_seconds{job="production",part="service"}', 1),
                told(`agent_once_task_queue_backlog_tasks{job="production",${queue}}`, 5),
                told(`agent_once_task_queue_pollers{job="production",${queue}}`, 0),
                told('agent_once_process_start_time_seconds{job="staging",part="worker"}', 1),
                told(`agent_once_task_queue_backlog_tasks{job="staging",${queue}}`, 0),
                told(`agent_once_task_queue_pollers{job="staging",${queue}}`, 2),
                told(
                  'temporal_worker_task_slots_available{job="staging",worker_type="ActivityWorker",task_queue="agent-once"}',
                  100,
                ),
              ],
              promql_expr_test: [
                {
                  expr: 'count by (alertname, job) (ALERTS{alertstate="firing"})',
                  eval_time: '5m',
                  exp_samples: ['AgentOnceNoWorker', 'AgentOnceNoWorkflowWorker'].map(inProduction),
                },
              ],
            },
          ],
        }),
      );
      const { stdout } = await promisify(execFile)(promtool ?? '', ['test', 'rules', file]);
      expect(stdout).toContain('SUCCESS');
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

const suite = prometheus && hasExtra('service') ? describe : describe.skip;

suite(`a real Prometheus that scrapes a worker and a service (${NEEDED})`, () => {
  let measured: MeasuredSystem;
  let server: ChildProcess;
  let second: MeasuredProcess;
  let folder: string;
  let url: string;

  /** The series that a query finds, in its order. */
  const ask = async (
    expr: string,
  ): Promise<{ metric: Record<string, string>; value: number }[]> => {
    const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expr)}`);
    const { status, data, error } = (await response.json()) as {
      status: string;
      error?: string;
      data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    if (status !== 'success') throw new Error(`${expr}: ${error}`);
    return (data?.result ?? []).map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  };
  const panel = (title: string, nth = 0): string =>
    queries.filter(({ of }) => of === `panel "${title}"`)[nth]?.expr ?? '';

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-prometheus-'));
    measured = await startMeasuredSystem();
    const { worker, service } = measured;
    const told = await Promise.all(
      [worker, service].map((each) => each.told(/Metrics are at http:\/\/(\S+)\/metrics/)),
    );
    // Of those that begin later it asks in vain at first.
    const late = await findFreePort();
    await copyFile(alertRules, path.join(folder, 'alert-rules.yml'));
    const config = path.join(folder, 'prometheus.yml');
    await writeFile(
      config,
      JSON.stringify({
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: ['alert-rules.yml'],
        scrape_configs: [
          { job_name: 'agent-once', static_configs: [{ targets: [...told, `127.0.0.1:${late}`] }] },
        ],
      }),
    );
    const port = await findFreePort();
    url = `http://127.0.0.1:${port}`;
    server = spawn(
      prometheus ?? '',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${path.join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    await eventually(async () => expect(await ask('sum(up)')).toMatchObject([{ value: 2 }]));
    await makeRuns(measured);
    // The first worker has asked Temporal what waits, and asks again in a minute; this one now.
    second = startMeasured(['worker'], {
      ...measured.system.env,
      AGENT_ONCE_METRICS_PORT: String(late),
    });
  });
  afterAll(async () => {
    if (server?.kill()) await once(server, 'exit');
    await second?.stop();
    await measured?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('the dashboard shows first which agent costs most', async () => {
    await eventually(async () => {
      const found = await ask(panel('Which agent costs most'));
      const [most, next] = found.filter(({ value }) => value > 0);
      expect([most?.metric['agent'], next?.metric['agent']]).toEqual(['thrifty', 'short']);
    });
  });

  test('the dashboard shows what waits for whom, and since when', async () => {
    const table = 'Questions that wait for a person';
    const named = (found: { metric: Record<string, string> }[]) =>
      found
        .map(({ metric: { tenant, agent, tool, kind } }) => `${tenant}: ${agent} ${tool} ${kind}`)
        .sort();
    const all = [
      'acme: tester spend approval',
      'default: tester send outcome',
      'default: tester spend approval',
    ];
    await eventually(async () => {
      for (const nth of [0, 1, 2]) expect(named(await ask(panel(table, nth)))).toEqual(all);
    });
    const { waiting } = await measured.system.client.describe({ agent: 'tester', key: 'approval' });
    const since = await ask(panel(table, 1));
    const theirs = since.find(
      ({ metric: { tenant, kind } }) => tenant === 'default' && kind === 'approval',
    );
    expect(theirs?.value).toBeCloseTo(Date.parse(waiting[0]?.askedAt ?? ''), 0);
  });

  test('it takes every query of the dashboard and the alerts', async () => {
    for (const { expr } of queries) await ask(expr);
  });

  test('it evaluates all alerts, and notices the call whose outcome nobody knows', async () => {
    await eventually(async () => {
      const response = await fetch(`${url}/api/v1/rules`);
      const { data } = (await response.json()) as {
        data: { groups: { rules: { name: string; health: string; state: string }[] }[] };
      };
      const rules = data.groups.flatMap((group) => group.rules);
      expect(rules.map(({ name, health }) => [name, health])).toEqual(
        alerts.map(({ alert }) => [alert, 'ok']),
      );
      const noticed = rules.find(({ name }) => name === 'AgentOnceOutcomeUnknown');
      expect(['pending', 'firing']).toContain(noticed?.state);
    });
  });

  test('the service tells that runs wait and that no worker asks for them', async () => {
    const expr = alerts.find(({ alert }) => alert === 'AgentOnceNoWorkflowWorker')?.expr ?? '';
    expect(await ask(expr)).toEqual([]);
    await Promise.all([measured.worker.stop(), second?.stop()]);
    await measured.start('for nobody', 'Hello');
    await eventually(async () =>
      expect(await ask(expr)).toMatchObject([{ metric: { task_queue: 'agent-once' } }]),
    );
  });
});
