import type { Command } from 'commander';
import type { App } from '../../cli/app.ts';
import { parseCount } from '../../cli/options.ts';
import { usage } from '../../cli/read-input.ts';
import { assertKeyOrWindow, requestOf, runStart, type StartFlags } from '../../cli/start.ts';

interface BatchFlags extends StartFlags {
  batch?: string;
  concurrency?: number;
}

const MOST_AT_ONCE = 1_000;

/** Teaches the `start` command batches. */
export function addBatch(program: Command, app: App): void {
  program.commands
    .find((command) => command.name() === 'start')
    ?.option(
      '--batch <file>',
      'many runs: a JSON input a line, run under KEY:LINE (-: standard input); waits for all',
    )
    .option('--concurrency <n>', 'runs of a batch at once (default 10)', parseCount(MOST_AT_ONCE))
    .addHelpText(
      'after',
      `
Batches:
  $ agent-once start support --batch refunds.jsonl --key refunds-may --concurrency 20

A batch that was interrupted, or in which lines failed, is repeated by the same command: what has
ended is replayed, what goes on is attached to, and with --retry-failed what failed is resumed.
Its exit code is that of the worst line; 130 after Ctrl-C: the runs themselves go on.`,
    )
    .action((agent: string, operand: string | undefined, flags: BatchFlags) =>
      startOne(agent, operand, flags, app),
    );
}

async function startOne(
  agent: string,
  operand: string | undefined,
  flags: BatchFlags,
  app: App,
): Promise<void> {
  const { batch, key, concurrency } = flags;
  if (batch === undefined) {
    if (concurrency !== undefined) throw usage('--concurrency is for a --batch.');
    return runStart(agent, operand, flags, app);
  }
  assertKeyOrWindow(flags);
  const inputs = [flags.input, flags.inputJson, flags.inputFile, operand];
  if (inputs.some((input) => input !== undefined)) {
    throw usage('A batch has its inputs in its file: leave out --input… and -.');
  }
  if (key === undefined) {
    throw usage(
      'A batch needs a --key: its lines run under KEY:1, KEY:2 …, and repeating it needs it.',
    );
  }
  const { startBatch } = await import('./start-batch.ts');
  const { wait, json } = flags;
  const request = requestOf(agent, flags);
  await startBatch({ file: batch, key, request, concurrency, wait, json: json === true }, app);
}
