import { hostname } from 'node:os';
import type { RunRef, RunView } from '../client/types.ts';
import { ANSWER_COMMANDS, DECISION_WORDS, QUESTION_WORDS } from '../contract/decision-words.ts';
import type { OpenQuestion } from '../contract/decision.ts';
import { commandFor, hasCommand } from './commands.ts';
import { printable, shortened } from './output.ts';
import { drawClock, drawDuration, drawTime, labelQuestion } from './show-run.ts';

type Waits = Pick<RunView, 'waiting' | 'waitingMore'>;

/** Questions that are named in one sentence. */
const NAMED = 5;
/** Longest text of what an attempt threw: a run may ask forty such questions at once. */
const ERROR_SHOWN = 600;

/** A question on one line: `t2.c0 send_email: to ann · outcome unknown`. */
function nameQuestion(question: OpenQuestion): string {
  return `${labelQuestion(question)} · ${QUESTION_WORDS[question.kind].is}`;
}

/** What a person must know to answer; of an outcome, first of all which process it was. */
export function drawQuestion(question: OpenQuestion): string[] {
  const facts = question.kind === 'approval' ? drawEditable(question) : drawAttempt(question);
  return [nameQuestion(question), ...[...facts, drawDeadline(question)].map((line) => `  ${line}`)];
}

/**
 * Every question of a run, each with the commands that answer it; commands begin with `$`. Of those
 * that no worker was there to tell of, how many there are.
 */
export function drawQuestions(ref: Required<RunRef>, { waiting, waitingMore }: Waits): string[] {
  return [
    ...waiting.flatMap((question) => [
      ...drawQuestion(question),
      ...drawAnswerCommands(ref, question).map((line) => `  ${line}`),
    ]),
    ...drawUnseen(waitingMore),
    ...(waitingMore === undefined ? [] : [`  $ ${commandFor('status', ref)}`]),
  ];
}

/** Says of questions that only a worker can tell how many there are. */
export function drawUnseen(more: number | undefined): string[] {
  return more === undefined
    ? []
    : [`${more} more: the run alone knows them, and says them when a worker runs. Then:`];
}

/** What a run waits for, in a few words. */
export function nameQuestions({ waiting, waitingMore = 0 }: Waits): string {
  const more = Math.max(0, waiting.length - NAMED) + waitingMore;
  const names = waiting.slice(0, NAMED).map(nameQuestion).join('; ');
  return more > 0 ? `${names}; and ${more} more` : names;
}

/** The commands of which one answers a question, each under what it does; none that is not there. */
function drawAnswerCommands(
  ref: Required<RunRef>,
  question: Pick<OpenQuestion, 'kind' | 'step'>,
): string[] {
  const lines = ANSWER_COMMANDS[question.kind]
    .filter(({ name }) => hasCommand(name))
    .flatMap(({ name, options, does }) => [
      does,
      `$ ${commandFor(name, ref, options, question.step)}`,
    ]);
  return lines.length === 0 ? [] : [ONE_OF_THESE, ...lines];
}

export const ONE_OF_THESE = 'One of these; --by NAME and --comment TEXT keep who decided, and why:';

function drawEditable({ editable }: OpenQuestion): string[] {
  return editable ? ['Its arguments may be changed: --arguments JSON of approve.'] : [];
}

/** A worker as a person knows it. Its identity is `pid@host` unless it was given another. */
export function nameProcess(worker: string | null): string {
  const { pid, host } = parseWorker(worker);
  return host === null ? printable(worker ?? 'a worker') : `process ${pid} on ${printable(host)}`;
}

/** What this machine can tell of the process; nothing when it ran elsewhere. */
function drawLiveness(worker: string | null): string | undefined {
  const { pid, host } = parseWorker(worker);
  if (host === null || host !== hostname()) return undefined;
  return isAlive(pid)
    ? `A process ${pid} runs on this machine now: if it is that one, it may still act.`
    : `No process ${pid} runs on this machine now (one in a container has other numbers).`;
}

function drawAttempt(question: OpenQuestion): string[] {
  const { worker, claimedAt, error } = question;
  const begun = claimedAt === null ? '' : ` at ${drawTime(claimedAt)}`;
  const who = `Begun by ${nameProcess(worker)}${begun}`;
  if (error !== null) {
    return [
      `${who}; the attempt threw: ${shortened(error, ERROR_SHOWN)}`,
      'Whether what it had sent by then takes effect is not known.',
    ];
  }
  const alive = drawLiveness(worker);
  return [
    `${who}; then it fell silent: killed, or stopped or cut off, and then it may still act.`,
    ...(alive === undefined ? [] : [alive]),
  ];
}

function drawDeadline({ askedAt, deadline, otherwise }: OpenQuestion): string {
  const left = Date.parse(deadline) - Date.now();
  const when = left > 0 ? `in ${drawDuration(left)}` : 'which is over';
  return `Asked at ${drawClock(askedAt)}. Unless answered by ${drawTime(deadline)} (${when}): ${DECISION_WORDS[otherwise].unanswered}.`;
}

function parseWorker(worker: string | null): { pid: number; host: string | null } {
  const [, pid, host] = /^(\d+)@(.+)$/s.exec(worker ?? '') ?? [];
  return { pid: Number(pid), host: host ?? null };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process: it is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
