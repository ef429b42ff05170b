import type { RunView } from '../client/types.ts';
import { afterFailure } from './after-failure.ts';
import type { Followed } from './follow.ts';
import { coloursOf, printable, printJson, printResult, say } from './output.ts';
import { drawQuestions } from './show-questions.ts';
import { drawDuration, drawUsage } from './show-run.ts';

/** Shows how a run ended, or why the waiting did: the bare result on stdout, the rest on stderr. */
export function showEnd(
  { view, early, exitCode }: Followed,
  json: boolean,
  more: Record<string, unknown> = {},
): void {
  const colours = coloursOf(process.stderr);
  process.exitCode = exitCode;
  if (json) {
    printJson({ ...view, ...more, error: early ?? view.error });
    return;
  }
  if (early) {
    const waits = early.code === 'run.waiting';
    say(`${colours.yellow(view.status)} ${waits ? 'The run waits for a person:' : early.message}`);
    if (waits) for (const line of drawQuestions(view, view)) say(`  ${line}`);
    return;
  }
  if (view.status === 'completed') printResult(view.result);
  if (view.error) {
    say(
      `${colours.red(view.status)} ${printable(view.error.message)} ${colours.dim(`(${view.error.code})`)}`,
    );
  }
  for (const line of drawShadow(view)) say(line);
  const took = Date.parse(view.closedAt ?? '') - Date.parse(view.startedAt);
  const usage = view.usage ? ` · ${drawUsage(view.usage)}` : '';
  if (view.status === 'completed') {
    say(colours.dim(`${view.status} in ${drawDuration(took)}${usage}`));
  } else if (view.usage) {
    say(colours.dim(`used ${drawUsage(view.usage)}`));
  }
  if (view.status !== 'completed') for (const line of afterFailure(view)) say(line);
}

/** What a shadow run would have done, a line each; nothing of a run that is none. */
function drawShadow({ shadow, closedAt }: Pick<RunView, 'shadow' | 'closedAt'>): string[] {
  if (shadow === undefined) return [];
  if (closedAt === null) return ['A shadow run: effects are recorded, not executed.'];
  if (shadow.length === 0) return ['A shadow run: nothing would have had an effect.'];
  const lines = shadow.flatMap((effect) => [
    `  ${effect.step}  ${effect.tool} (${effect.effect})${effect.approval ? ', after an approval' : ''}: ${printable(effect.summary)}`,
    ...(effect.arguments === undefined ? [] : [`      ${printable(effect.arguments)}`]),
    `      token ${effect.token}`,
  ]);
  return ['A shadow run; this would have happened and did not:', ...lines];
}
