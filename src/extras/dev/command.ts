import type { Command } from 'commander';
import { DEV_PORTS, readConfig, usesScriptedModel } from '../../config.ts';
import { showUrl } from '../../contract/redact.ts';
import type { ServiceAddress } from './app-processes.ts';
import type { BesidePart } from './beside.ts';
import type { Stack } from './stack.ts';
import { fromCheckout } from './checkout-only.ts';
import { hasCommand, plainCommand } from '../../cli/commands.ts';
import { parsePort } from '../../cli/options.ts';
import { coloursOf, printJson, say } from '../../cli/output.ts';

interface DevFlags {
  dataDir: string;
  temporalPort: number;
  uiPort: number;
  postgresPort: number;
  modelPort: number;
  httpPort: number;
  http: boolean;
  worker: boolean;
  reload: boolean;
  json?: true;
  [port: `${string}Port`]: number;
}

/** `agent-once dev`: everything that is needed on one machine, until Ctrl-C. */
export function registerDev(program: Command, beside: readonly BesidePart[]): void {
  const port = (part: string) => `port of ${part} (0: any free one)`;
  program.commandsGroup('Parts:');
  const command = program
    .command('dev')
    .description(
      'start Temporal, PostgreSQL, the model, the example, a worker and HTTP on this machine',
    )
    .option('--data-dir <folder>', 'where everything is kept', '.agent-once')
    .option('--temporal-port <port>', port('Temporal'), parsePort, DEV_PORTS.temporal)
    .option('--ui-port <port>', port("Temporal's UI"), parsePort, DEV_PORTS.ui)
    .option('--postgres-port <port>', port('PostgreSQL'), parsePort, DEV_PORTS.postgres)
    .option('--model-port <port>', port('the scripted model'), parsePort, DEV_PORTS.model)
    .option('--http-port <port>', port('the HTTP service'), parsePort, DEV_PORTS.http)
    .option('--no-worker', 'leave the worker out, to run it yourself')
    .option('--no-http', 'leave the HTTP service out')
    .option('--no-reload', 'do not restart the worker and the service when their code changes')
    .option('--json', 'print one JSON line on stdout once everything is ready')
    .addHelpText(
      'after',
      `
A scripted model answers unless OPENAI_API_KEY or OPENAI_BASE_URL is set. Ctrl-C stops everything
in order, a second one at once. Data stay in the data folder; delete it to begin anew. The HTTP
service asks for no API keys here, and listens on this machine alone.

Examples:
  $ agent-once dev
  $ agent-once dev --no-worker --data-dir /tmp/try --temporal-port 0 --ui-port 0 --postgres-port 0 \\
      --model-port 0 --http-port 0 --json`,
    )
    .action((flags: DevFlags) => {
      const http = flags.http && hasCommand('serve');
      return runDevCommand({ ...flags, http }, beside);
    });
  for (const { name, description, port: otherwise } of beside) {
    command.option(`--${name}-port <port>`, port(description), parsePort, otherwise);
  }
}

async function runDevCommand(flags: DevFlags, beside: readonly BesidePart[]): Promise<void> {
  const config = readConfig();
  const { openaiBaseUrl } = config;
  const scriptedModel = usesScriptedModel(config);
  const { runDev } = await fromCheckout(() => import('./run-dev.ts'));
  const colours = coloursOf(process.stderr);
  const log = (line: string) => say(colours.dim(`dev     ${line}`));
  const namespace = process.env['TEMPORAL_NAMESPACE']?.trim();

  await runDev({
    dataDir: flags.dataDir,
    ports: {
      temporal: flags.temporalPort,
      ui: flags.uiPort,
      postgres: flags.postgresPort,
      model: flags.modelPort,
    },
    beside: beside.map((part) => ({ ...part, port: flags[`${part.name}Port`] ?? part.port })),
    scriptedModel,
    namespace: namespace === '' ? undefined : namespace,
    worker: flags.worker,
    httpPort: flags.http ? flags.httpPort : undefined,
    reload: flags.reload,
    signal: abortOnSignals(log),
    log,
    onWorkerLine: (line) => say(`${colours.cyan('worker')}  ${line}`),
    onServiceLine: (line) => say(`${colours.magenta('http')}    ${line}`),
    onReady: (stack, http) => {
      const model = stack.model ?? showUrl(openaiBaseUrl ?? 'https://api.openai.com/v1');
      if (flags.json) {
        const { temporal, ui, ledger } = stack;
        const parts = stack.beside.map(({ name, url }) => [name, url]);
        const optional = { ...Object.fromEntries(parts), ...(http && namedPages(http)) };
        printJson({ ready: true, temporal, ui, ledger, model, ...optional });
      } else {
        process.stdout.write(describeStack(stack, model, http));
      }
    },
  });
}

/** The first signal stops in order; the second ends this process, and watchdogs end its children. */
function abortOnSignals(log: (line: string) => void): AbortSignal {
  const stopping = new AbortController();
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
    log('stopping; Ctrl-C again ends it at once');
    stopping.abort();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', stop);
  return stopping.signal;
}

/** The service as `http`, and the pages of extras by their paths' names: `app`. */
function namedPages({ url, pages }: ServiceAddress): Record<string, string> {
  const named = pages.map((page): [string, string] => [new URL(page).pathname.slice(1), page]);
  return { http: url, ...Object.fromEntries(named.filter(([name]) => name !== 'docs')) };
}

function describeStack(stack: Stack, model: string, http: ServiceAddress | undefined): string {
  const { bold, dim, yellow } = coloursOf(process.stdout);
  const rows: [string, string | undefined][] = [
    ['Temporal', stack.temporal],
    ['Temporal UI', stack.ui],
    ['ledger', stack.ledger],
    ['model', model],
    ...stack.beside.map(({ name, url }): [string, string] => [name, url]),
    ['HTTP', http && `${http.url}, its pages: ${http.pages.join(', ')}`],
  ];
  const lines = rows.flatMap(([part, where]) =>
    where === undefined ? [] : [`  ${part.padEnd(12)} ${bold(where)}`],
  );
  if (stack.model !== undefined) {
    lines.push(
      '',
      yellow('  The model is SCRIPTED: it plays fixed answers, no language model is behind it.'),
      yellow('  Set OPENAI_API_KEY (and OPENAI_BASE_URL for another endpoint) for a real one.'),
    );
  }
  if (http !== undefined) {
    lines.push(
      '',
      yellow('  HTTP is OPEN: anybody on this machine may start, read and decide runs. --no-http'),
      yellow(`  leaves it out; ${plainCommand('serve')}, without --open, asks for API keys.`),
    );
  }
  return `\n${lines.join('\n')}\n\n  ${dim('Ctrl-C stops everything.')}\n\n`;
}
