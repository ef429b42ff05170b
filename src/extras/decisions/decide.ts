import { userInfo } from 'node:os';
import { decisionConflict } from '../../client/decision-errors.ts';
import type { RunRef, RunView } from '../../client/types.ts';
import type {
  Decision,
  DecisionInput,
  CountedDecision,
  OpenQuestion,
  QuestionKind,
} from '../../contract/decision.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import { readConfig } from '../../config.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { findAnswer, findOutcome, readArguments } from '../explain/recorded-answers.ts';
import { chooseQuestion } from './choose-question.ts';
import { commandFor, START_A_WORKER } from '../../cli/commands.ts';
import { canAsk, confirm } from '../../cli/confirm.ts';
import { withRun, type LoadAgents, type OpenClient } from '../../cli/open-client.ts';
import type { RunFlags } from '../../cli/options.ts';
import { coloursOf, print, printable, printJson, say, shortened } from '../../cli/output.ts';
import { drawQuestion } from '../../cli/show-questions.ts';
import { drawTime, labelQuestion } from '../../cli/show-run.ts';

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
  /** See `DecisionInput`. */
  arguments?: JsonValue;
  /** What is asked before, on a terminal, unless `--yes` is given. */
  ask: string;
  /** Why it is refused without `--yes` where nobody can be asked; default: that alone. */
  refuseUnasked?: (question: OpenQuestion) => string;
}

/** Longest text of a call's arguments that is shown. */
const ARGUMENTS_SHOWN = 2_000;

/** Decides, after it has shown about what, and tells what became of it. */
export async function runDecision(
  ref: Required<RunRef>,
  command: DecisionCommand,
  flags: DecisionFlags,
  loadAgents: LoadAgents,
): Promise<void> {
  const by = flags.by ?? userOfMachine();
  await withRun(ref, loadAgents, async (open) => {
    const view = await open.client.describe(ref);
    const question = chooseQuestion(ref, view, command);
    if (!question) {
      await tellStanding(ref, command, flags, open, notAsked(ref, command, view));
      return;
    }
    await show(ref, question, open, command.arguments);
    await makeSure(question, command, flags);
    if (flags.by === undefined) say(`Decided by ${by}, the user of this machine (--by NAME).`);
    if (!(await open.client.hasWorker())) {
      say(
        `No worker is polling, and one has to take the decision; waiting a while for one. ${START_A_WORKER}`,
      );
    }
    const answer: DecisionInput = {
      step: question.step,
      // The question that was shown, and no newer one.
      round: question.round,
      decision: command.decision,
      ...(command.result === undefined ? {} : { result: command.result }),
      ...(command.arguments === undefined ? {} : { arguments: command.arguments }),
      by,
      ...(flags.comment === undefined ? {} : { comment: flags.comment }),
    };
    let result: CountedDecision;
    try {
      result = await open.client.decide(ref, answer, { runId: view.runId });
    } catch (error) {
      // Somebody was faster, and the run may even have ended; or it counted, and its answer was lost.
      if (!(error instanceof AgentOnceError) || error.code === 'decision.conflict') throw error;
      const { ledgerUrl } = readConfig();
      const known = await findOutcome(
        { context: open.client.context, ledgerUrl, run: ref },
        answer,
      );
      if (!known) throw error;
      if (known.outcome === 'conflict') throw decisionConflict(answer.step, answer.decision, known);
      result = { ...known, outcome: known.outcome };
    }
    tell(ref, question, command.decision, result, flags);
  });
}

async function show(
  run: Required<RunRef>,
  question: OpenQuestion,
  { client: { context } }: OpenClient,
  instead: JsonValue | undefined,
): Promise<void> {
  for (const line of drawQuestion(question)) say(line);
  if (question.kind !== 'approval') return;
  const given = await readArguments(
    { context, ledgerUrl: readConfig().ledgerUrl, run },
    question.step,
  );
  const drawn = (value: JsonValue) => shortened(JSON.stringify(value), ARGUMENTS_SHOWN);
  if (given === undefined) {
    say('  Its arguments are in the ledger, which cannot be read from here.');
  } else {
    say(`  arguments: ${drawn(given)}`);
  }
  if (instead !== undefined) say(`  to run instead with: ${drawn(instead)}`);
}

/** @throws {AgentOnceError} `decision.invalid`: nobody said yes */
async function makeSure(
  question: OpenQuestion,
  { ask, refuseUnasked }: DecisionCommand,
  { yes }: DecisionFlags,
): Promise<void> {
  if (yes) return;
  if (!canAsk()) {
    const why =
      refuseUnasked?.(question) ??
      'Nothing was decided: there is no terminal to ask on. Repeat the command with --yes.';
    throw new AgentOnceError('decision.invalid', why);
  }
  if (await confirm(ask)) return;
  throw new AgentOnceError('decision.invalid', 'Not confirmed: nothing was decided.');
}

/** Says what was decided before, if that is known; else fails with `otherwise`. */
async function tellStanding(
  ref: Required<RunRef>,
  command: DecisionCommand,
  flags: DecisionFlags,
  open: OpenClient,
  otherwise: AgentOnceError,
): Promise<void> {
  const ledgerUrl = readConfig().ledgerUrl;
  const found = await findAnswer({ context: open.client.context, ledgerUrl, run: ref }, command);
  if (!found) throw otherwise;
  const { question, same, approved } = found;
  if (!same) {
    const standing = { ...question, ...(approved === undefined ? {} : { approved }) };
    throw decisionConflict(question.step, command.decision, standing);
  }
  tell(ref, question, command.decision, { ...question, outcome: 'repeated' }, flags);
}

function tell(
  ref: Required<RunRef>,
  question: OpenQuestion | { step: string; kind: QuestionKind; round: number },
  decision: Decision,
  result: CountedDecision,
  flags: DecisionFlags,
): void {
  const { step, kind, round } = question;
  const { outcome } = result;
  // The attempt's own word counts: it agrees with "happened" alone.
  if (outcome === 'settled' && decision !== 'happened') {
    throw new AgentOnceError(
      'decision.conflict',
      `The attempt of ${step} has reported its result after all: the step is done. "${decision}" was not recorded.`,
    );
  }
  if (flags.json) {
    printJson({ ...ref, step, kind, round, ...result, decision: result.decision ?? decision });
    return;
  }
  const colours = coloursOf(process.stdout);
  const label = 'tool' in question ? labelQuestion(question) : step;
  const by = printable(result.by ?? '');
  const how = {
    recorded: `${decision}${result.approved === undefined ? '' : ' with other arguments'}, decided by ${by}`,
    repeated: `${decision}: ${by} had decided so already, at ${drawTime(result.decidedAt ?? '')}; nothing changed`,
    settled: 'the attempt has reported its result after all; that counts, nothing was recorded',
  }[outcome];
  print(`${colours.green(outcome)}  ${label} · ${how}`);
  say(`Follow the run: ${commandFor('result', ref, ['--wait'])}`);
}

function notAsked(
  ref: Required<RunRef>,
  { step }: DecisionCommand,
  { status, closedAt }: RunView,
): AgentOnceError {
  const what = step === undefined ? 'a decision' : `a decision on ${step}`;
  if (closedAt === null) {
    return new AgentOnceError(
      'decision.not_asked',
      `The run does not wait for ${what}, so nothing was decided. What it does: ${commandFor('status', ref)}`,
    );
  }
  // One that has completed asks nothing any more, and cannot be resumed. A full stop after a command
  // would be read as a part of the key.
  const again =
    status === 'completed'
      ? 'The run has completed, so nothing was decided.'
      : `The run has ended, so nothing was decided. Resumed, it asks again where it must: ${commandFor('resume', ref)} ·`;
  return new AgentOnceError(
    'decision.not_asked',
    `${again} What happened: ${commandFor('explain', ref)}`,
  );
}

/** @throws {AgentOnceError} `decision.invalid` */
function userOfMachine(): string {
  try {
    return userInfo().username;
  } catch {
    // As in a container whose user has no name.
    throw new AgentOnceError(
      'decision.invalid',
      'The user of this machine has no name: say who decides with --by NAME. Nothing was decided.',
    );
  }
}
