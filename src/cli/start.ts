import type { Command } from 'commander';
import type { StartRequest } from '../client/types.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { DEFAULT_TENANT } from '../contract/key.ts';
import type { LoadAgents } from './open-client.ts';
import {
  addRunOptions,
  dedupeWindowOption,
  maxTurnsOption,
  parseCount,
  waitOption,
  type RunFlags,
  type WaitFlag,
} from './options.ts';
import type { InputFlags } from './read-input.ts';

interface StartFlags extends RunFlags, WaitFlag, InputFlags {
  key?: string;
  model?: string;
  shadow?: true;
  retryFailed?: true;
  maxTurns?: number;
  /** Seconds. */
  dedupeWindow?: number;
  batch?: string;
  concurrency?: number;
}

const MOST_AT_ONCE = 1_000;

/** `agent-once start`: starts a run, or returns the one that the key already names. */
export function registerStart(program: Command, loadAgents: LoadAgents): void {
  const command = program
    .command('start')
    .summary('start a run, or get the one that the key already names')
    .description(
      'Starts a run of an agent. The same key and input again return the same run, however often and from wherever: it is attached to while it runs, and its outcome returned afterwards.',
    )
    .argument('<agent>', 'name of the agent, as registered in src/agents/index.ts')
    .argument('[-]', 'a dash: read the input from standard input, as text')
    .option('--key <key>', 'idempotency key: your name for this request; default: a new UUID')
    .option('--input <text>', 'the input, as text')
    .option('--input-json <json>', 'the input, as JSON')
    .option(
      '--input-file <file>',
      'the input from a file: JSON if its name ends in .json, else text',
    )
    .option(
      '--model <model>',
      "another model than the agent's own; part of what the key stands for",
    )
    .option(
      '--shadow',
      'a rehearsal: ask models and read, but only record effects and list what would have happened; part of what the key stands for',
    )
    .option(
      '--retry-failed',
      'resume a run that failed, as `agent-once resume` does, which needs no input',
    )
    .addOption(
      maxTurnsOption("model calls at most, instead of the agent's own; may change between starts"),
    )
    .addOption(dedupeWindowOption())
    .option(
      '--batch <file>',
      'many runs: a JSON input a line, run under KEY:LINE (-: standard input); waits for all',
    )
    .option('--concurrency <n>', 'runs of a batch at once (default 10)', parseCount(MOST_AT_ONCE))
    .addOption(waitOption());
  addRunOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ agent-once start support --key order-1042-refund --input "Refund 25 EUR of order 1042" --wait
  $ agent-once start support --key ticket-77 --input-json '{"ticket":77}' --json
  $ cat mail.txt | agent-once start support --key "$MESSAGE_ID" - --wait=60
  $ agent-once start support --dedupe-window=60 --input "Refund 25 EUR of order 1042"
  $ agent-once start support --key order-1042-rehearsal --shadow --input "Refund …" --wait
  $ agent-once start support --batch refunds.jsonl --key refunds-may --concurrency 20

A batch that was interrupted, or in which lines failed, is repeated by the same command: what has
ended is replayed, what goes on is attached to, and with --retry-failed what failed is resumed.
Its exit code is that of the worst line.

Exit codes:
  0  started, running, or completed          3  the key names another request
  2  wrong usage, unknown agent, bad key     4  the run failed or was cancelled
  6  Temporal cannot be reached              7, 8  when waiting: still running, waits for a person
  130  Ctrl-C: the run itself goes on`,
    )
    .action((agent: string, operand: string | undefined, flags: StartFlags) =>
      runStart(agent, operand, flags, loadAgents),
    );
}

async function runStart(
  agent: string,
  operand: string | undefined,
  flags: StartFlags,
  loadAgents: LoadAgents,
): Promise<void> {
  if (flags.dedupeWindow !== undefined && flags.key !== undefined) {
    throw usage('Give --key or --dedupe-window: the window is for requests without a key.');
  }
  if (flags.batch !== undefined) return runBatchOf(agent, flags.batch, operand, flags, loadAgents);
  if (flags.concurrency !== undefined) throw usage('--concurrency is for a --batch.');
  const [
    { readInput },
    { readConfig },
    { withClient },
    { checkRequest },
    { createRegistry },
    { registryDefaults },
    { showStart },
  ] = await Promise.all([
    import('./read-input.ts'),
    import('../config.ts'),
    import('./open-client.ts'),
    import('../client/check-request.ts'),
    import('../agents/registry.ts'),
    import('../agents/registry-defaults.ts'),
    import('./show-start.ts'),
  ]);
  const config = readConfig();
  const request: StartRequest = {
    ...requestOf(agent, flags),
    input: await readInput(flags, operand),
    ...(flags.key === undefined ? {} : { key: flags.key }),
    ...(flags.dedupeWindow === undefined
      ? {}
      : { dedupeWindowMs: Math.round(flags.dedupeWindow * 1_000) }),
  };
  const registry = createRegistry(await loadAgents(), registryDefaults(config));
  // A wrong request is told apart before anything else can go wrong.
  checkRequest({ registry, hashKeys: config.hashKeys }, request);
  await withClient(
    config,
    async ({ client, urlOf }) => {
      const started = await client.start(request);
      await showStart(client, started, flags, urlOf(started.workflowId));
    },
    registry,
  );
}

async function runBatchOf(
  agent: string,
  file: string,
  operand: string | undefined,
  flags: StartFlags,
  loadAgents: LoadAgents,
): Promise<void> {
  const inputs = [flags.input, flags.inputJson, flags.inputFile, operand];
  if (inputs.some((input) => input !== undefined)) {
    throw usage('A batch has its inputs in its file: leave out --input… and -.');
  }
  if (flags.key === undefined) {
    throw usage(
      'A batch needs a --key: its lines run under KEY:1, KEY:2 …, and repeating it needs it.',
    );
  }
  const { startBatch } = await import('./start-batch.ts');
  const command = {
    file,
    key: flags.key,
    request: requestOf(agent, flags),
    concurrency: flags.concurrency,
    wait: flags.wait,
    json: flags.json === true,
  };
  await startBatch(command, await loadAgents());
}

function requestOf(
  agent: string,
  { tenant, model, shadow, retryFailed, maxTurns }: StartFlags,
): Omit<StartRequest, 'key' | 'input' | 'dedupeWindowMs'> & { tenant: string } {
  const options = {
    ...(model === undefined ? {} : { model }),
    ...(shadow ? { shadow } : {}),
  };
  return {
    agent,
    tenant: tenant ?? DEFAULT_TENANT,
    ...(model === undefined && !shadow ? {} : { options }),
    ...(maxTurns === undefined ? {} : { limits: { maxTurns } }),
    ...(retryFailed === undefined ? {} : { retryFailed }),
  };
}

function usage(message: string): AgentOnceError {
  return new AgentOnceError('usage', message);
}
