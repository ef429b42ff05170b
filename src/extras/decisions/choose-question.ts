import type { RunRef, RunView } from '../../client/types.ts';
import type { OpenQuestion, QuestionKind } from '../../contract/decision.ts';
import { ANSWER_COMMANDS, QUESTION_WORDS } from '../../contract/decision-words.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { commandFor, START_A_WORKER } from '../../cli/commands.ts';
import { say } from '../../cli/output.ts';
import { drawQuestions } from '../../cli/show-questions.ts';

/**
 * The question that an answer is to; `undefined`: the run does not ask it.
 *
 * @throws {AgentOnceError} `decision.invalid`: it is one of several, or of another kind;
 *   `run.still_running`: it may be one of those that only a worker can tell
 */
export function chooseQuestion(
  ref: Required<RunRef>,
  { waiting, waitingMore }: Pick<RunView, 'waiting' | 'waitingMore'>,
  { step, kind }: { step: string | undefined; kind?: QuestionKind },
): OpenQuestion | undefined {
  const named = step === undefined ? waiting : waiting.filter((each) => each.step === step);
  const fitting = kind === undefined ? named : named.filter((each) => each.kind === kind);
  const [first, second] = fitting;
  if (waitingMore !== undefined && (step === undefined || named.length === 0)) {
    throw new AgentOnceError(
      'run.still_running',
      `The run asks ${waiting.length + waitingMore} questions, and no worker answered, which alone knows them all. Nothing was decided. ${START_A_WORKER}. Then repeat the command.`,
    );
  }
  if (second) {
    for (const line of drawQuestions(ref, { waiting: fitting })) say(line);
    throw new AgentOnceError(
      'decision.invalid',
      `${fitting.length} steps wait: name one of ${fitting.map((each) => each.step).join(', ')}. Nothing was decided.`,
    );
  }
  const [other] = named;
  if (!first && other) {
    const commands = ANSWER_COMMANDS[other.kind].map(({ name, options }) =>
      commandFor(name, ref, options, other.step),
    );
    throw new AgentOnceError(
      'decision.invalid',
      `${other.step} waits for ${QUESTION_WORDS[other.kind].needs}. Nothing was decided. Its answers: ${commands.join(' · ')}`,
    );
  }
  return first;
}
