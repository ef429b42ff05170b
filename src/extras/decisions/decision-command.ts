import { Option, type Command } from 'commander';
import type { LoadAgents } from '../../cli/open-client.ts';
import { addRunCommand, runOf } from '../../cli/options.ts';
import type { DecisionCommand, DecisionFlags } from './decide.ts';

/**
 * A command that answers a question of a run.
 *
 * @param decisionOf what was typed, without the step
 */
export function addDecisionCommand<Flags extends DecisionFlags>(
  program: Command,
  loadAgents: LoadAgents,
  name: string,
  words: { summary: string; description: string; options?: Option[]; help: string },
  decisionOf: (
    flags: Flags,
  ) => Omit<DecisionCommand, 'step'> | Promise<Omit<DecisionCommand, 'step'>>,
): void {
  const { options = [], help } = words;
  addRunCommand(program, name, {
    ...words,
    options: [
      ...options,
      new Option('-y, --yes', 'do not ask; needed where there is no terminal'),
      new Option('--by <name>', 'who decides; default: the user of this machine'),
      new Option('--comment <text>', 'why; kept with the decision'),
    ],
    help: `${help}\n\n${EXITS}`,
  })
    .argument('[step]', 'the call, such as t2.c0; may be left out when one waits')
    .action(async (agent: string, key: string, step: string | undefined, flags: Flags) => {
      const decision = await decisionOf(flags);
      const { runDecision } = await import('./decide.ts');
      await runDecision(runOf(agent, key, flags), { ...decision, step }, flags, loadAgents);
    });
}

const EXITS = `Exit codes:
  0  recorded, or decided so before          5  no such run, or it does not ask that
  2  wrong usage, not confirmed, or several steps wait
  3  somebody has decided otherwise          6  Temporal cannot be reached
  7  no worker took the decision: repeat it, the same twice is one`;
