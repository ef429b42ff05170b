import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import pc from 'picocolors';
import { registerApprove, registerDeny } from './approve.ts';
import { registerCancel } from './cancel.ts';
import { registerCleanup } from './cleanup.ts';
import { registerDemo } from './demo.ts';
import { registerDev } from './dev.ts';
import { registerExplain } from './explain.ts';
import { registerForget } from './forget.ts';
import { registerLedger } from './ledger.ts';
import { registerList } from './list.ts';
import type { LoadAgents } from './open-client.ts';
import { registerResolve } from './resolve.ts';
import { registerResume } from './resume.ts';
import { registerResult } from './result.ts';
import { registerStart } from './start.ts';
import { registerStatus } from './status.ts';
import { registerService } from '../service/commands.ts';
import { registerWorker } from './worker.ts';

// Commander takes the colours out again where they are not wanted.
const colours = pc.createColors(true);

/**
 * The command line. The imports of a command cost every other command's start, `--help` included:
 * what is heavy is imported inside its action.
 */
export function createProgram(loadAgents: LoadAgents): Command {
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
    .addHelpText('after', `\n${HELP}`);
  program.commandsGroup('Runs:');
  registerStart(program, loadAgents);
  registerStatus(program, loadAgents);
  registerResult(program, loadAgents);
  registerExplain(program, loadAgents);
  registerResume(program, loadAgents);
  registerCancel(program, loadAgents);
  registerForget(program, loadAgents);
  registerList(program);
  program.commandsGroup('What a run asks people:');
  registerResolve(program, loadAgents);
  registerApprove(program, loadAgents);
  registerDeny(program, loadAgents);
  program.commandsGroup('Parts:').helpCommand('help [command]', 'show help');
  registerDev(program);
  registerWorker(program);
  registerCleanup(program);
  registerLedger(program);
  registerService(program);
  registerDemo(program);
  return program;
}

const HELP = `Examples:
  $ agent-once dev                      start everything on this machine
  $ agent-once start support --key order-1042-refund --input "Refund 25 EUR of order 1042" --wait
  $ agent-once start support --key order-1042-refund --input "Refund 25 EUR of order 1042"
                                        the same run again, not a second refund
  $ agent-once explain support order-1042-refund
                                        what happened to it, step by step
  $ agent-once resume support order-1042-refund
                                        goes on where it failed
  $ agent-once list --status waiting    what waits for a person: approve, deny, resolve
  $ agent-once serve --open             the same over HTTP, for a backend
  $ agent-once start --help             more on one command

Exit codes:
  0  done                               5  no such run, or it does not ask that
  2  wrong usage, unknown agent, bad key
  3  the key names another request,     6  a part cannot be reached
     or somebody decided otherwise      7  still running at the deadline
  4  the run failed or was cancelled    8  the run waits for a person
  1  a defect of this program           9, 10, 11  why a worker ended by itself

Environment (defaults are those of agent-once dev):
  TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_PROFILE, TEMPORAL_TLS_…
                                        where Temporal is; its own environment configuration
  LEDGER_URL                            the ledger: PostgreSQL, or Redis
  OPENAI_BASE_URL, OPENAI_API_KEY, OPENAI_MODEL
                                        the model; dev scripts one when neither of the first two is set
  SHOP_URL                              the example shop
  AGENT_ONCE_LOG_LEVEL=debug            shows where an error came from
  NO_COLOR                              no colours
All of them: docs/configuration.md`;

function readVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
