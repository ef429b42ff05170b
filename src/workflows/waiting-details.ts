import { runCommandLine } from '../contract/command-line.ts';
import type { OpenQuestion } from '../contract/decision.ts';
import { ANSWER_COMMANDS, DECISION_WORDS } from '../contract/decision-words.ts';
import type { AgentRunInput } from '../contract/run.ts';
import { LIMITS } from '../contract/limits.ts';
import { bytesOfText } from '../contract/text-bytes.ts';
import { markdownText } from './markdown.ts';

/** What names the run, as it stands in the workflow ID. */
export type RunNames = Pick<AgentRunInput, 'tenant' | 'agent' | 'key'>;

/** Questions that Temporal UI shows. */
const QUESTIONS_SHOWN = 10;

/** What a run asks people, as Markdown, with the commands that answer it; of many, the first ones. */
export function drawWaiting(questions: readonly OpenQuestion[], run: RunNames): string[] {
  if (questions.length === 0) return [];
  const lines: string[] = [];
  let shown = 0;
  for (const question of questions.slice(0, QUESTIONS_SHOWN)) {
    const one = drawOne(question, run);
    const bytes = bytesOfText([...lines, ...one].join('\n'));
    if (shown > 0 && bytes > LIMITS.detailsBytes / 2) break;
    lines.push(...one);
    shown += 1;
  }
  const more = questions.length - shown;
  if (more > 0) lines.push(`- and ${more} more: \`${commandFor('status', run)}\``);
  return ['', '**Waits for a person:**', '', ...lines];
}

function drawOne(question: OpenQuestion, run: RunNames): string[] {
  const { step, kind, tool, summary, deadline, otherwise } = question;
  const what = kind === 'approval' ? 'may it run?' : `did it happen? ${attemptOf(question)}`;
  const answers = ANSWER_COMMANDS[kind].map(({ name, options }) =>
    commandFor(name, run, step, options),
  );
  return [
    `- \`${step}\` ${markdownText(tool)} · ${markdownText(summary)}: ${what} Unless answered by ${deadline}, ${DECISION_WORDS[otherwise].unanswered}.`,
    // On one level: Temporal UI runs the items of a list inside a list together.
    ...answers.map((command) => `- \`${command}\``),
  ];
}

/** Whoever says that it did not happen must know that its process is dead. */
function attemptOf({ worker, claimedAt, error }: OpenQuestion): string {
  const threw = error === null ? 'it fell silent' : `it threw: ${markdownText(error)}`;
  return `Begun by ${markdownText(worker ?? 'a worker')}${claimedAt === null ? '' : ` at ${claimedAt}`}; ${threw}.`;
}

/** The key is as the workflow ID has it: a hashed one has to be filled in. */
function commandFor(
  name: string,
  run: RunNames,
  step?: string,
  options: readonly string[] = [],
): string {
  const key = run.key.startsWith('~') ? 'KEY' : run.key;
  return `agent-once ${runCommandLine(name, { ...run, key }, options, step)}`;
}
