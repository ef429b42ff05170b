import type { Explanation } from './explanation.ts';
import { nextSteps } from './next-steps.ts';

/** Something that a person can do now. */
interface NextAction {
  /** In words, of one or more lines. */
  what: string;
  /** To be typed in a shell; `null`: there is none for it. */
  command: string | null;
}

/** The document of `explain --json`: what is known, and what a person can do, likely first. */
export function withNextActions(explanation: Explanation): Explanation & { next: NextAction[] } {
  return { ...explanation, next: nextSteps(explanation).flatMap(actionsOf) };
}

function actionsOf(item: string): NextAction[] {
  const actions: NextAction[] = [];
  let words: string[] = [];
  for (const line of item.split('\n')) {
    if (line.startsWith('$ ')) {
      actions.push({ what: words.join('\n'), command: line.slice(2) });
      words = [];
    } else words.push(line);
  }
  return words.length === 0 ? actions : [...actions, { what: words.join('\n'), command: null }];
}
