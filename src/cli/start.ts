import type { Command } from 'commander';
import type { StartRequest } from '../client/types.ts';
import { DEFAULT_TENANT } from '../contract/key.ts';
import type { LoadAgents } from './open-client.ts';
import { addRunOptions, waitOption, type RunFlags, type WaitFlag } from './options.ts';
import type { InputFlags } from './read-input.ts';

interface StartFlags extends RunFlags, WaitFlag, InputFlags {
  key?: string;
  model?: string;
}

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
    .addOption(waitOption());
  addRunOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ agent-once start support --key order-1042-refund --input "Refund 25 EUR of order 1042" --wait
  $ agent-once start support --key ticket-77 --input-json '{"ticket":77}' --json
  $ cat mail.txt | agent-once start support --key "$MESSAGE_ID" - --wait=60

Exit codes:
  0  started, running, or completed          3  the key names another request
  2  wrong usage, unknown agent, bad key     4  the run failed or was cancelled
  6  Temporal cannot be reached              7, 8  with --wait: still running, waits for a person`,
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
  const [
    { readInput },
    { readConfig },
    { withClient },
    { checkRequest },
    { createRegistry },
    { showStart },
  ] = await Promise.all([
    import('./read-input.ts'),
    import('../config.ts'),
    import('./open-client.ts'),
    import('../client/check-request.ts'),
    import('../agents/registry.ts'),
    import('./show-start.ts'),
  ]);
  const config = readConfig();
  const request: StartRequest = {
    agent,
    tenant: flags.tenant ?? DEFAULT_TENANT,
    input: await readInput(flags, operand),
    ...(flags.key === undefined ? {} : { key: flags.key }),
    ...(flags.model === undefined ? {} : { options: { model: flags.model } }),
  };
  const registry = createRegistry(await loadAgents(), { defaultModel: config.openaiModel });
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
