import type { RunView } from '../client/types.ts';
import { printable } from './output.ts';

/** What a shadow run would have done, a line each; nothing of a run that is none. */
export function drawShadow({ shadow, closedAt }: Pick<RunView, 'shadow' | 'closedAt'>): string[] {
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
