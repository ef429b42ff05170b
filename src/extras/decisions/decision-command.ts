import type { Command } from 'commander';
import type { Decision, OpenQuestion, QuestionKind } from '../../contract/decision.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import { addRunCommand, addRunOptions, type RunFlags } from '../../cli/options.ts';

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

/** A command that answers a question of a run. */
export function addDecisionCommand(
  program: Command,
  name: string,
  words: { summary: string; description: string },
  addOwnOptions: (command: Command) => Command = (command) => command,
): Command {
  const command = addRunCommand(program, name, words).argument(
    '[step]',
    'the call, such as t2.c0; may be left out when one waits',
  );
  return addRunOptions(
    addOwnOptions(command)
      .option('-y, --yes', 'do not ask; needed where there is no terminal')
      .option('--by <name>', 'who decides; default: the user of this machine')
      .option('--comment <text>', 'why; kept with the decision'),
  );
}

/** Part of each such command's help. */
export const DECISION_EXITS = `Exit codes:
  0  recorded, or decided so before          5  no such run, or it does not ask that
  2  wrong usage, not confirmed, or several steps wait
  3  somebody has decided otherwise          6  Temporal cannot be reached
  7  no worker took the decision: repeat it, the same twice is one`;
