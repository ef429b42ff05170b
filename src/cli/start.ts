import type { Command } from 'commander';
import type { App } from './app.ts';
import type { StartRequest } from '../client/types.ts';
import { readConfig } from '../config.ts';
import { defined } from '../contract/defined.ts';
import { DEFAULT_TENANT } from '../contract/key.ts';
import type { ResumeLimits } from '../contract/run.ts';
import { openRegistry, withClient } from './open-client.ts';
import {
  addRunOptions,
  dedupeWindowOption,
  limitOptions,
  limitsOf,
  waitOption,
  type RunFlags,
  type WaitFlag,
} from './options.ts';
import { readInput, usage, type InputFlags } from './read-input.ts';
import { showStart } from './show-start.ts';

export interface StartFlags extends RunFlags, WaitFlag, InputFlags, ResumeLimits {
  key?: string;
  shadow?: true;
  retryFailed?: true;
  /** Seconds. */
  dedupeWindow?: number;
}

/** `agent-once start`: starts a run, or returns the one that the key already names. */
export function registerStart(program: Command, app: App): void {
  const command = program
    .command('start')
    .summary('start a run, or get the one that the key already names')
    .description(
      'Starts a run of an agent. The same key and input again return the same run, however often and from wherever: it is attached to while it runs, and its outcome returned afterwards.',
    )
    .argument('<agent>', 'name of the agent, as registered in src/app/agents/index.ts')
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
      "another model than the agent's own; part of what the key stands for, unless --retry-failed finds a run: that goes on with this one",
    )
    .option(
      '--shadow',
      'a rehearsal: ask models and read, but only record effects and list what would have happened; part of what the key stands for',
    )
    .option(
      '--retry-failed',
      'resume a run that failed, as `agent-once resume` does, which needs no input',
    )
    .addOption(dedupeWindowOption())
    .addOption(waitOption());
  const limits = "model calls at most, instead of the agent's own; may change between starts";
  for (const option of limitOptions(limits)) command.addOption(option);
  addRunOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ agent-once start support --key order-1042-refund --input "Refund 25 EUR of order 1042" --wait
  $ agent-once start support --key ticket-77 --input-json '{"ticket":77}' --json
  $ cat mail.txt | agent-once start support --key "$MESSAGE_ID" - --wait=60
  $ agent-once start support --dedupe-window=60 --input "Refund 25 EUR of order 1042"
  $ agent-once start support --key ticket-77 --input-json '{"ticket":77}' --retry-failed --model gpt-6-luna
  $ agent-once start support --key order-1042-rehearsal --shadow --input "Refund …" --wait

Exit codes:
  0  started, running, or completed          3  the key names another request
  2  wrong usage, unknown agent, bad key     4  the run failed or was cancelled
  5  nothing to resume, and no new run asked for
  6  Temporal cannot be reached              7, 8  when waiting: still running, waits for a person
  130  Ctrl-C: the run itself goes on`,
    )
    .action((agent: string, operand: string | undefined, flags: StartFlags) =>
      runStart(agent, operand, flags, app),
    );
}

/** The command's work, for commands that extend it. */
export async function runStart(
  agent: string,
  operand: string | undefined,
  flags: StartFlags,
  app: App,
): Promise<void> {
  assertKeyOrWindow(flags);
  const { dedupeWindow } = flags;
  const config = readConfig();
  const request: StartRequest = {
    ...requestOf(agent, flags),
    input: await readInput(flags, operand),
    ...defined({
      key: flags.key,
      dedupeWindowMs: dedupeWindow === undefined ? undefined : Math.round(dedupeWindow * 1_000),
    }),
  };
  const registry = await openRegistry(config, app);
  const { checkRequest } = await import('../client/check-request.ts');
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

/** @throws {AgentOnceError} `usage`: both were given */
export function assertKeyOrWindow({ key, dedupeWindow }: StartFlags): void {
  if (dedupeWindow === undefined || key === undefined) return;
  throw usage('Give --key or --dedupe-window: the window is for requests without a key.');
}

/** What the flags ask for, but for its key and input. */
export function requestOf(
  agent: string,
  { tenant, model, shadow, retryFailed, ...flags }: StartFlags,
): Omit<StartRequest, 'key' | 'input' | 'dedupeWindowMs'> & { tenant: string } {
  return {
    agent,
    tenant: tenant ?? DEFAULT_TENANT,
    ...defined({
      options: model === undefined && !shadow ? undefined : defined({ model, shadow }),
      limits: limitsOf(flags),
      retryFailed,
    }),
  };
}
