import type { Command } from 'commander';
import type { App } from '../../cli/app.ts';
import type { Config } from '../../config.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import type { Registry } from '../../define/registry.ts';
import type { WorkerConnection } from '../../worker/connect.ts';

/** What was looked at, and how it is. */
interface Finding {
  about: 'agents' | 'temporal' | 'workers' | 'cancellations' | 'ledger' | 'model';
  /** `note`: it works, and could be better; `problem`: runs do not get on. */
  state: 'ok' | 'note' | 'problem';
  says: string;
  /** Of a problem that is an error. */
  error?: AgentOnceError;
}

const MARKS = { ok: '✓', note: '!', problem: '✗' } as const;

/** `agent-once doctor`: whether everything that runs need is there, as this machine sees it. */
export function registerDoctor(program: Command, app: App): void {
  program
    .command('doctor')
    .summary('look whether everything that runs need is there')
    .description(
      'Looks at the settings, the agents, Temporal, its namespace, who polls the task queues, and the ledger, as they are seen from here. It starts nothing, changes nothing, and asks no model.',
    )
    .option('--json', 'print the findings as one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  $ agent-once doctor

Exit codes:
  0  everything is there                    6  Temporal or the ledger cannot be used
  2  a setting or an agent is wrong`,
    )
    .action((flags: { json?: true }) => runDoctor(flags, app));
}

async function runDoctor(flags: { json?: true }, app: App): Promise<void> {
  const [{ readConfig }, { openRegistry }, { print, printJson }] = await Promise.all([
    import('../../config.ts'),
    import('../../cli/open-client.ts'),
    import('../../cli/output.ts'),
  ]);
  const config = readConfig();
  const agents = openRegistry(config, app);
  const parts = await Promise.all([
    lookAtAgents(agents),
    lookAtTemporal(
      config,
      agents.catch(() => undefined),
    ),
    lookAtLedger(config),
    lookAtModel(config, app),
  ]);
  const findings = parts.flat();
  if (flags.json) printJson({ findings: findings.map(({ error: _error, ...finding }) => finding) });
  else for (const { state, about, says } of findings) print(`${MARKS[state]} ${about}: ${says}`);
  const worst = findings.find(({ state }) => state === 'problem');
  if (worst) process.exitCode = worst.error?.exitCode ?? 6;
}

async function lookAtAgents(agents: Promise<Registry>): Promise<Finding[]> {
  return looked('agents', async () => {
    const registry = await agents;
    const names = registry.names();
    return [ok('agents', `${names.join(', ')}, with ${registry.tools().length} tools.`)];
  });
}

/** @param agents `undefined`: they are wrong, which is told of them */
async function lookAtTemporal(
  config: Config,
  agents: Promise<Registry | undefined>,
): Promise<Finding[]> {
  return looked('temporal', async () => {
    const [{ connectWorker }, { searchAttributesProblem, assertRetentionSuffices }] =
      await Promise.all([
        import('../../worker/connect.ts'),
        import('../../worker/check-namespace.ts'),
      ]);
    const temporal = await connectWorker();
    try {
      const { address, namespace, retentionMs } = temporal;
      const hours = Math.round(retentionMs / 360_000) / 10;
      const kept = retentionMs === 0 ? '' : `, which keeps closed runs for ${hours} h`;
      const findings = [ok('temporal', `${address}, namespace ${namespace}${kept}.`)];
      findings.push(
        ...(await looked('temporal', async () => {
          const registry = await agents;
          if (registry) assertRetentionSuffices(registry, temporal);
          return [];
        })),
      );
      const lacks = config.searchAttributes && (await searchAttributesProblem(temporal));
      if (lacks) findings.push({ about: 'temporal', state: 'problem', says: lacks });
      return [...findings, whoTells(config, temporal), ...(await whoPolls(config, temporal))];
    } finally {
      await temporal.connection.close();
    }
  });
}

function whoTells({ ledgerUrl }: Config, { pushesCancellations }: WorkerConnection): Finding {
  const about = 'cancellations';
  if (pushesCancellations) return ok(about, 'the server tells workers at once.');
  const flags =
    'With Temporal 1.32 or newer, frontend.WorkerCommandsEnabled and system.enableCancelActivityWorkerCommand have the server do it.';
  return /^postgres/i.test(ledgerUrl)
    ? note(about, `the ledger tells workers within a second, an activity for each. ${flags}`)
    : note(about, `workers ask with their heartbeats, each of which Temporal writes. ${flags}`);
}

async function whoPolls(
  { splitTaskQueues }: Config,
  { connection, namespace }: WorkerConnection,
): Promise<Finding[]> {
  const { taskQueues } = await import('../../contract/names.ts');
  const queues = taskQueues(splitTaskQueues);
  // Temporal's numbers: workflow tasks are 1, activity tasks 2.
  const wanted = [
    [queues.workflows, 1],
    [queues.model, 2],
    [queues.tools, 2],
  ] as const;
  const polled = await Promise.all(
    wanted.map(async ([name, taskQueueType]) => {
      const request = { namespace, taskQueue: { name }, taskQueueType };
      const { pollers } = await connection.workflowService.describeTaskQueue(request);
      return { name, identities: (pollers ?? []).map(({ identity }) => identity ?? '') };
    }),
  );
  const alone = [...new Set(polled.flatMap(({ name, identities }) => (identities[0] ? [] : name)))];
  if (alone.length > 0) {
    const says = `nobody has polled ${alone.join(', ')} for five minutes: runs wait. Start agent-once worker.`;
    return [note('workers', says)];
  }
  const workers = new Set(polled.flatMap(({ identities }) => identities));
  return [ok('workers', `${[...workers].join(', ')}, within the last five minutes.`)];
}

async function lookAtLedger({ ledgerUrl }: Config): Promise<Finding[]> {
  return looked('ledger', async () => {
    const { openLedgerReader } = await import('../../ledger/open-ledger.ts');
    const reader = await openLedgerReader(ledgerUrl);
    try {
      // There is no such scope; the tables are there, or this is an error.
      await reader.steps('doctor');
    } finally {
      await reader.close();
    }
    return [ok('ledger', 'the one at LEDGER_URL answers, and has its tables.')];
  });
}

async function lookAtModel(config: Config, { models = {} }: App): Promise<Finding[]> {
  const [{ usesScriptedModel }, { OPENAI_URL }] = await Promise.all([
    import('../../config.ts'),
    import('../../contract/dialects.ts'),
  ]);
  const endpoints = Object.keys(models);
  const named = endpoints.length === 0 ? '' : ` Endpoints of the app: ${endpoints.join(', ')}.`;
  if (usesScriptedModel(config)) {
    const says = `the scripted model of agent-once dev answers; OPENAI_API_KEY or OPENAI_BASE_URL names a real one.${named}`;
    return [note('model', says)];
  }
  const url = config.openaiBaseUrl ?? OPENAI_URL;
  if (!URL.canParse(url)) {
    return [{ about: 'model', state: 'problem', says: 'OPENAI_BASE_URL is no URL.' }];
  }
  const key = config.openaiApiKey === undefined ? 'without a key' : 'with a key';
  return [
    ok('model', `${config.openaiModel} at ${new URL(url).host}, ${key}. It was not asked.${named}`),
  ];
}

function ok(about: Finding['about'], says: string): Finding {
  return { about, state: 'ok', says };
}

function note(about: Finding['about'], says: string): Finding {
  return { about, state: 'note', says };
}

/** An error is what was found. */
async function looked(about: Finding['about'], look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof AgentOnceError)) throw error;
    return [{ about, state: 'problem', says: error.message, error }];
  }
}
