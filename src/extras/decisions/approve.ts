import { Option, type Command } from 'commander';
import type { LoadAgents } from '../../cli/open-client.ts';
import { readText } from '../../cli/read-input.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import type { DecisionFlags } from './decide.ts';
import { addDecisionCommand } from './decision-command.ts';
import { parseOption } from './parse-option.ts';

interface ApproveFlags extends DecisionFlags {
  arguments?: string;
  argumentsFile?: string;
}

/** `agent-once approve`: lets a call run that waits for it. */
export function registerApprove(program: Command, loadAgents: LoadAgents): void {
  const words = {
    summary: 'let a call run that needs approval',
    description:
      'Approves a call that waits for it, with exactly the arguments it has, or with --arguments where its tool allows that. Shows tool, summary, arguments and deadline, and asks before it approves; without a terminal it needs --yes. The same answer twice is one.',
    options: [
      new Option(
        '--arguments <json>',
        'the whole arguments that it is to run with, where they may be changed',
      ).conflicts('argumentsFile'),
      new Option('--arguments-file <file>', 'the same from a file; - is standard input'),
    ],
    help: `
Changed arguments are checked by the tool's schema, and the model is told of them.

Examples:
  $ agent-once list --status waiting
  $ agent-once approve support order-1042-refund
  $ agent-once approve support order-1042-refund --arguments '{"order":"1042","amountEur":200}'
  $ agent-once approve support order-1042-refund t2.c0 --by ann --comment "checked it" --yes`,
  };
  addDecisionCommand<ApproveFlags>(program, loadAgents, 'approve', words, async (flags) => {
    const args = await argumentsIn(flags);
    const approval = { decision: 'approve', kind: 'approval' } as const;
    return args === undefined
      ? { ...approval, ask: 'Approve it?' }
      : { ...approval, arguments: args, ask: 'Approve it with the new arguments?' };
  });
}

/** @throws {AgentOnceError} `usage`, `decision.invalid` */
async function argumentsIn(flags: ApproveFlags): Promise<JsonValue | undefined> {
  const { argumentsFile: file } = flags;
  const text = file === undefined ? flags.arguments : await readText(file);
  return text === undefined ? undefined : parseOption('--arguments', text);
}

/** `agent-once deny`: keeps a call from running that waits for approval. */
export function registerDeny(program: Command, loadAgents: LoadAgents): void {
  const words = {
    summary: 'keep a call from running that needs approval',
    description:
      'Denies a call that waits for approval: it does not run, the model is told so, with the comment, and the run goes on. Asks before; without a terminal it needs --yes. The same answer twice is one.',
    help: `
To end the run instead: agent-once resolve <agent> <key> [step] --fail

Examples:
  $ agent-once deny support order-1042-refund
  $ agent-once deny support order-1042-refund t2.c0 --by ann --comment "it was never paid" --yes`,
  };
  addDecisionCommand(program, loadAgents, 'deny', words, () => {
    return { decision: 'deny', kind: 'approval', ask: 'Deny it?' };
  });
}
