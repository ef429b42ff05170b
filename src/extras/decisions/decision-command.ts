import { Option, type Command } from 'commander';
import type { Decision, OpenQuestion, QuestionKind } from '../../contract/decision.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import type { LoadAgents } from '../../cli/open-client.ts';
import { addRunCommand, runOf, type RunFlags } from '../../cli/options.ts';

/** What every command that decides takes. */
export interface DecisionFlags extends RunFlags {
  by?: string;
  comment?: string;
  yes?: true;
}

/** A decision as it was typed. */
export interface DecisionCommand {
  decision: Decision;
  /** The kind of question that it answers; absent: either. */
  kind?: QuestionKind;
  /** Absent: the one step that waits. */
  step: string | undefined;
  result?: JsonValue;
  /** What is asked before, on a terminal, unless `--yes` is given. */
  ask: string;
  /** Why it is refused without `--yes` where nobody can be asked; default: that alone. */
  refuseUnasked?: (question: OpenQuestion) => string;
}

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
