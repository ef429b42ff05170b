import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import pc from 'picocolors';
import type { App } from './app.ts';
import { registerCancel } from './cancel.ts';
import { adviseOnly, hasCommand, servingPart } from './commands.ts';
import { registerList } from './list.ts';
import { registerResume } from './resume.ts';
import { registerResult } from './result.ts';
import { registerStart } from './start.ts';
import { registerStatus } from './status.ts';
import { registerWorker } from './worker.ts';

// Commander takes the colours out again where they are not wanted.
const colours = pc.createColors(true);

/**
 * The command line. The imports of a command cost every other command's start, `--help` included:
 * what is heavy is imported inside its action.
 */
export function createProgram(app: App): Command {
  const program = new Command('agent-once')
    .description(
      'Runs LLM agents as Temporal workflows: one run per idempotency key, and no recorded step twice.',
    )
    .version(readVersion())
    .exitOverride()
    .showHelpAfterError('Try --help.')
    .configureHelp({
      // As it must be typed: after a space it would be the next argument.
      optionTerm: (option) => option.flags.replace(' [', '[='),
      styleTitle: (title) => colours.bold(title),
      styleCommandText: (text) => colours.cyan(text),
      styleSubcommandText: (text) => colours.cyan(text),
      styleOptionText: (text) => colours.cyan(text),
      styleArgumentText: (text) => colours.cyan(text),
    })
    .addHelpText('after', () => `\n${examplesOf()}\n${HELP}`);
  program.hook('preAction', async (_program, command) => {
    const part = command.parent === program ? servingPart(command.name()) : undefined;
    if (part) for (const { log } of app.extras) await log?.open(part);
  });
  program.commandsGroup('Runs:');
  registerStart(program, app);
  registerStatus(program, app.agents);
  registerResult(program, app.agents);
  registerResume(program, app);
  registerCancel(program, app.agents);
  registerList(program);
  for (const extra of app.extras) extra.commands?.(program, app);
  program.commandsGroup('Parts:').helpCommand('help [command]', 'show help');
  registerWorker(program, app);
  adviseOnly(program.commands.map((command) => command.name()));
  return program;
}

/** Of a command that this program may lack, so each is shown only where it is there. */
const EXAMPLES: readonly [command: string, example: string, does?: string][] = [
  ['dev', 'dev', 'start everything on this machine'],
  ['start', 'start support --key order-1042-refund --input "Refund 25 EUR of order 1042" --wait'],
  [
    'start',
    'start support --key order-1042-refund --input "Refund 25 EUR of order 1042"',
    'the same run again, not a second refund',
  ],
  ['explain', 'explain support order-1042-refund', 'what happened to it, step by step'],
  ['resume', 'resume support order-1042-refund', 'goes on where it failed'],
  ['approve', 'list --status waiting', 'what waits for a person: approve, deny, resolve'],
  ['serve', 'serve --open', 'the same over HTTP, for a backend'],
  ['start', 'start --help', 'more on one command'],
];

function examplesOf(): string {
  const there = EXAMPLES.filter(([command]) => hasCommand(command));
  const lines = there.map(([, example, does = '']) => {
    const typed = `  $ agent-once ${example}`;
    if (does === '') return typed;
    return typed.length < 40 ? `${typed.padEnd(40)}${does}` : `${typed}\n${' '.repeat(40)}${does}`;
  });
  return ['Examples:', ...lines, ''].join('\n');
}

const HELP = `Exit codes:
  0  done                               5  no such run, or it does not ask that
  2  wrong usage, unknown agent, bad key
  3  the key names another request,     6  a part cannot be reached
     or somebody decided otherwise      7  still running at the deadline
  4  the run failed or was cancelled    8  the run waits for a person
  1  a defect of this program           9, 10, 11  why a worker ended by itself

Environment (by default, everything is on this machine):
  TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_PROFILE, TEMPORAL_TLS_…
                                        where Temporal is; its own environment configuration
  LEDGER_URL                            the ledger: PostgreSQL, or Redis
  OPENAI_BASE_URL, OPENAI_API_KEY, OPENAI_MODEL
                                        the model; dev scripts one when neither of the first two is set
  AGENT_ONCE_LOG_LEVEL=debug            shows where an error came from
  NO_COLOR                              no colours
All of them: docs/configuration.md`;

function readVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
