import type { Command } from 'commander';
import type { LoadAgents } from '../../cli/open-client.ts';
import { addDecisionCommand } from './decision-command.ts';

/** `agent-once approve`: lets a call run that waits for it. */
export function registerApprove(program: Command, loadAgents: LoadAgents): void {
  const words = {
    summary: 'let a call run that needs approval',
    description:
      'Approves a call that waits for it, with exactly the arguments it has. Shows tool, summary, arguments and deadline, and asks before it approves; without a terminal it needs --yes. The same answer twice is one.',
    help: `
Examples:
  $ agent-once list --status waiting
  $ agent-once approve support order-1042-refund
  $ agent-once approve support order-1042-refund t2.c0 --by ann --comment "checked it" --yes`,
  };
  addDecisionCommand(program, loadAgents, 'approve', words, () => {
    return { decision: 'approve', kind: 'approval', ask: 'Approve it?' };
  });
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
