import { once } from 'node:events';
import type { App } from '../../cli/app.ts';
import { batchKey, runBatch, type BatchOutcome } from './batch.ts';
import { checkRequest } from '../../client/check-request.ts';
import type { StartRequest } from '../../client/types.ts';
import { readConfig } from '../../config.ts';
import { optionWith } from '../../contract/command-line.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { checkLines, nameLines, parseLines, readLines } from './batch-lines.ts';
import { createBatchProgress } from './batch-progress.ts';
import { addOutcome, createTally, exitCodeOfBatch, type BatchTally } from './batch-tally.ts';
import { plainCommand } from '../../cli/commands.ts';
import { openRegistry, withClient } from '../../cli/open-client.ts';
import { coloursOf, print, say } from '../../cli/output.ts';
import { batchCommandFor, drawBatch, lineDocument } from './show-batch.ts';
import { drawQuestions } from '../../cli/show-questions.ts';

/** Lines that wait, of which the questions are shown. */
const WAITING_SHOWN = 5;

/** One run a line of a file, under `{key}:{line}`. */
export interface BatchCommand {
  file: string;
  key: string;
  request: Omit<StartRequest, 'key' | 'input' | 'dedupeWindowMs'> & { tenant: string };
  concurrency: number | undefined;
  /** Seconds; `true` or absent: until all lines have ended. */
  wait: number | true | undefined;
  json: boolean;
}

/** How a batch was ended before its last line. */
interface Ending {
  interrupted: boolean;
  problem: AgentOnceError | undefined;
}

/**
 * Runs a batch and tells what became of it; the exit code is in `process.exitCode`.
 *
 * @throws {AgentOnceError} before anything was started
 */
export async function startBatch(command: BatchCommand, app: App): Promise<void> {
  const { request, key } = command;
  const config = readConfig();
  const registry = await openRegistry(config, app);
  const known = { registry, hashKeys: config.hashKeys };
  // What is wrong with every line is said without a line.
  checkRequest(known, { ...request, key: batchKey(key, 1) });
  const lines = await readLines(command.file);
  checkLines(lines, (input, line) =>
    checkRequest(known, { ...request, key: batchKey(key, line), input }),
  );
  const tally = createTally(lines.length);
  await withClient(
    config,
    async ({ client }) => {
      const stopping = new AbortController();
      const ending: Ending = { interrupted: false, problem: undefined };
      const release = endEarly(command, ending, stopping);
      const progress = createBatchProgress(tally, () => client.hasWorker());
      const document = command.json ? createDocument(command) : undefined;
      try {
        const { concurrency } = command;
        const options = {
          signal: stopping.signal,
          ...(concurrency ? { concurrency } : {}),
          onSlowed: ({ message }: AgentOnceError, atOnce: number) =>
            progress.say(
              `${message} The batch has slowed down to ${atOnce} at once, and goes on; it becomes faster again by itself.`,
            ),
        };
        const batch = { ...request, key, lines: parseLines(lines) };
        for await (const outcome of runBatch(client, batch, options)) {
          addOutcome(tally, outcome);
          progress.show();
          await document?.add(outcome);
        }
      } catch (error) {
        if (!(error instanceof AgentOnceError)) throw error;
        ending.problem = error;
      } finally {
        progress.end();
        release();
      }
      process.exitCode = exitCodeOfBatch(tally, ending);
      if (document) document.end(tally, ending.problem);
      else print(drawBatch(coloursOf(process.stdout), { agent: request.agent, key }, tally));
      sayNextSteps(command, tally, ending);
    },
    registry,
  );
}

/** Ctrl-C and the deadline stop the batch, not its runs. A second Ctrl-C ends the process. */
function endEarly(command: BatchCommand, ending: Ending, stopping: AbortController): () => void {
  const onInterrupt = (): void => {
    ending.interrupted = true;
    stopping.abort();
  };
  process.once('SIGINT', onInterrupt);
  const timer =
    typeof command.wait === 'number'
      ? setTimeout(() => stopping.abort(), command.wait * 1_000)
      : undefined;
  return () => {
    clearTimeout(timer);
    process.off('SIGINT', onInterrupt);
  };
}

/** One JSON document, written while the batch goes on: results are not held in memory. */
function createDocument({ request: { agent, tenant }, key }: BatchCommand) {
  const head = JSON.stringify({ agent, tenant, key }).slice(0, -1);
  process.stdout.write(`${head},"runs":[`);
  let separator = '';
  return {
    async add(outcome: BatchOutcome): Promise<void> {
      const text = `${separator}${JSON.stringify(lineDocument(outcome))}`;
      separator = ',';
      if (!process.stdout.write(text)) await once(process.stdout, 'drain');
    },
    end({ counts, usage }: BatchTally, problem: AgentOnceError | undefined): void {
      const error = problem ? { code: problem.code, message: problem.message } : null;
      process.stdout.write(`],${JSON.stringify({ counts, usage, error }).slice(1)}\n`);
    },
  };
}

function sayNextSteps(command: BatchCommand, tally: BatchTally, ending: Ending): void {
  const { counts } = tally;
  const colours = coloursOf(process.stderr);
  const batch = { ...command.request, file: command.file, key: command.key };
  const { options, limits } = command.request;
  const mode = [
    ...(limits?.priority === undefined ? [] : [`--priority ${limits.priority}`]),
    ...(options?.model === undefined ? [] : [optionWith('--model', options.model)]),
    ...(options?.shadow ? ['--shadow'] : []),
    ...(limits?.reasoningEffort === undefined
      ? []
      : [`--reasoning-effort ${limits.reasoningEffort}`]),
    ...(limits?.maxOutputTokens === undefined
      ? []
      : [`--max-output-tokens ${limits.maxOutputTokens}`]),
  ];
  const retry = ['--retry-failed'];
  const again = batchCommandFor(batch, [...mode, ...(command.request.retryFailed ? retry : [])]);
  if (ending.problem) {
    const { message, code } = ending.problem;
    say(`${colours.red('error')} ${message} ${colours.dim(`(${code})`)}`);
  }
  if (tally.definitionChanged > 0) {
    say(
      `The agent's definition has changed since ${tally.definitionChanged} of the resumed runs failed: their recorded steps count, what came after follows the new definition.`,
    );
  }
  if (counts.underWay + counts.notStarted > 0) {
    say(
      `Stopped: ${counts.underWay} under way, which go on, and ${counts.notStarted} not begun. Go on with the same command; what has ended is not repeated: ${again}`,
    );
  }
  if (counts.conflicts > 0) {
    say(
      `The file has changed under its key: ${nameLines(tally.conflicts)}. Nothing was started for ${counts.conflicts === 1 ? 'it' : 'them'}. Put the lines back as they were, add new ones at the end, or give the changed file another --key.`,
    );
  }
  for (const { line, key, waits } of tally.waiting.slice(0, WAITING_SHOWN)) {
    const run = { agent: batch.agent, tenant: batch.tenant, key };
    say(`Line ${line} waits for a person:`);
    for (const text of drawQuestions(run, waits)) say(`  ${text}`);
  }
  if (counts.waiting > 0) {
    say(`When they are answered, the same command shows how the lines end: ${again}`);
    if (counts.waiting > WAITING_SHOWN) {
      say(`All that wait: ${plainCommand('list --status waiting')}`);
    }
  }
  if (counts.failed > 0) {
    say(
      `Resume what failed; nothing that is recorded runs again: ${batchCommandFor(batch, [...mode, ...retry])}`,
    );
  }
}
