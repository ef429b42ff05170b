import { Option, type Command } from 'commander';
import type { OpenQuestion } from '../../contract/decision.ts';
import { plainCommand } from '../../cli/commands.ts';
import type { LoadAgents } from '../../cli/open-client.ts';
import { usage } from '../../cli/read-input.ts';
import { nameProcess } from '../../cli/show-questions.ts';
import type { DecisionCommand, DecisionFlags } from './decide.ts';
import { addDecisionCommand } from './decision-command.ts';
import { parseOption } from './parse-option.ts';

interface ResolveFlags extends DecisionFlags {
  happened?: true;
  didNotHappen?: true;
  fail?: true;
  result?: string;
}

/** `agent-once resolve`: says how an attempt ended that only a person can know of. */
export function registerResolve(program: Command, loadAgents: LoadAgents): void {
  const words = {
    summary: 'say whether a step happened, where nobody knows',
    description:
      "Says how a step ended whose outcome is unknown: a tool that must not run twice was begun, and neither its result nor the word that nothing happened was recorded. Shows the attempt's worker and process, when it began, and what it threw. Look up whether it happened where it would be seen, then say so. The same answer twice is one.",
    options: [
      new Option('--happened', 'it happened: the run goes on').conflicts(['didNotHappen', 'fail']),
      new Option('--result <json>', 'with --happened: what the tool would have returned'),
      new Option(
        '--did-not-happen',
        'it did not: the step runs again; only when the attempt is dead for certain',
      ).conflicts(['happened', 'fail']),
      new Option('--fail', 'nobody can tell, or it is not wanted: the run fails').conflicts([
        'happened',
        'didNotHappen',
      ]),
    ],
    help: `
A process that was stopped or cut off can wake up and act after somebody said "did not happen": then
it happens twice. Each answer asks before on a terminal, and elsewhere needs --yes.
A run that ended with --fail, or at the deadline, asks again when it is resumed.

Examples:
  $ agent-once list --status waiting
  $ agent-once resolve support order-1042-refund --happened --result '{"id":"m-17"}' --by ann --yes
  $ agent-once resolve support order-1042-refund t3.c1 --did-not-happen --comment "not in the outbox"
  $ agent-once resolve support order-1042-refund t3.c1 --fail`,
  };
  addDecisionCommand(program, loadAgents, 'resolve', words, decisionOf);
}

/** @throws {AgentOnceError} `usage`, `decision.invalid` */
function decisionOf({
  happened,
  didNotHappen,
  fail,
  result,
}: ResolveFlags): Omit<DecisionCommand, 'step'> {
  if (!happened && !didNotHappen && !fail) {
    throw usage(
      `Say what became of it: --happened, --did-not-happen or --fail. What is known of it: ${plainCommand('status <agent> <key>')}`,
    );
  }
  if (result !== undefined && !happened) throw usage('--result is for --happened.');
  if (happened) {
    const given = result === undefined ? {} : { result: parseOption('--result', result) };
    const ask = 'Did it happen? Then it counts as done.';
    return { decision: 'happened', kind: 'outcome', ask, ...given };
  }
  if (fail) return { decision: 'fail', ask: 'End the run as failed?' };
  return {
    decision: 'did-not-happen',
    kind: 'outcome',
    ask: 'Did it not happen, and can that attempt no longer act? Then it runs again.',
    refuseUnasked: mayActTwice,
  };
}

/** Why a program that says "did not happen" has to say --yes too: the attempt may still act. */
function mayActTwice({ worker, error }: OpenQuestion): string {
  const first =
    error === null
      ? `Make sure that ${nameProcess(worker)} is dead`
      : 'Make sure that what it had sent is no longer under way';
  return `Nothing was decided: --did-not-happen runs the step again. ${first}, then repeat the command with --yes.`;
}
