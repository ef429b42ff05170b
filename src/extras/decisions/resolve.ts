import { Option, type Command } from 'commander';
import { AgentOnceError } from '../../contract/errors.ts';
import { plainCommand } from '../../cli/commands.ts';
import {
  addDecisionCommand,
  DECISION_EXITS,
  type DecisionCommand,
  type DecisionFlags,
} from './decision-command.ts';
import type { LoadAgents } from '../../cli/open-client.ts';
import { runOf } from '../../cli/options.ts';

interface ResolveFlags extends DecisionFlags {
  happened?: true;
  didNotHappen?: true;
  fail?: true;
  result?: string;
}

/** `agent-once resolve`: says how an attempt ended that only a person can know of. */
export function registerResolve(program: Command, loadAgents: LoadAgents): void {
  addDecisionCommand(
    program,
    'resolve',
    {
      summary: 'say whether a step happened, where nobody knows',
      description:
        "Says how a step ended whose outcome is unknown: a tool that must not run twice was begun, and neither its result nor the word that nothing happened was recorded. Shows the attempt's worker and process, when it began, and what it threw. Look up whether it happened where it would be seen, then say so. The same answer twice is one.",
    },
    (command) =>
      command
        .addOption(
          new Option('--happened', 'it happened: the run goes on').conflicts([
            'didNotHappen',
            'fail',
          ]),
        )
        .option('--result <json>', 'with --happened: what the tool would have returned')
        .addOption(
          new Option(
            '--did-not-happen',
            'it did not: the step runs again; only when the attempt is dead for certain',
          ).conflicts(['happened', 'fail']),
        )
        .addOption(
          new Option('--fail', 'nobody can tell, or it is not wanted: the run fails').conflicts([
            'happened',
            'didNotHappen',
          ]),
        ),
  )
    .addHelpText(
      'after',
      `
A process that was stopped or cut off can wake up and act after somebody said "did not happen": then
it happens twice. Each answer asks before on a terminal, and elsewhere needs --yes.
A run that ended with --fail, or at the deadline, asks again when it is resumed.

Examples:
  $ agent-once list --status waiting
  $ agent-once resolve support order-1042-refund --happened --result '{"id":"m-17"}' --by ann --yes
  $ agent-once resolve support order-1042-refund t3.c1 --did-not-happen --comment "not in the outbox"
  $ agent-once resolve support order-1042-refund t3.c1 --fail

${DECISION_EXITS}`,
    )
    .action(async (agent: string, key: string, step: string | undefined, flags: ResolveFlags) => {
      const [{ runDecision }, command] = await Promise.all([
        import('./decide.ts'),
        decisionOf(step, flags),
      ]);
      await runDecision(runOf(agent, key, flags), command, flags, loadAgents);
    });
}

/** @throws {AgentOnceError} `usage`, `decision.invalid` */
async function decisionOf(
  step: string | undefined,
  { happened, didNotHappen, fail, result }: ResolveFlags,
): Promise<DecisionCommand> {
  if (!happened && !didNotHappen && !fail) {
    throw new AgentOnceError(
      'usage',
      `Say what became of it: --happened, --did-not-happen or --fail. What is known of it: ${plainCommand('status <agent> <key>')}`,
    );
  }
  if (result !== undefined && !happened) {
    throw new AgentOnceError('usage', '--result is for --happened.');
  }
  if (happened) {
    const given = result === undefined ? {} : { result: await parseResult(result) };
    const ask = 'Did it happen? Then it counts as done.';
    return { decision: 'happened', kind: 'outcome', step, ask, ...given };
  }
  if (fail) return { decision: 'fail', step, ask: 'End the run as failed?' };
  const { actsTwice } = await import('../../cli/acts-twice.ts');
  return {
    decision: 'did-not-happen',
    kind: 'outcome',
    step,
    ask: 'Did it not happen, and can that attempt no longer act? Then it runs again.',
    refuseUnasked: actsTwice,
  };
}

async function parseResult(text: string) {
  const { parseJson } = await import('../../contract/json.ts');
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof AgentOnceError)) throw error;
    const why = error.message.replace(/^The input/, 'It');
    throw new AgentOnceError(
      'decision.invalid',
      `--result takes JSON; a text is written '"like this"'. ${why} Nothing was decided.`,
    );
  }
}
