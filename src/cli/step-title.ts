/** What names a step to people. */
interface Named {
  id: string;
  kind: 'model' | 'tool';
  tool: string | null;
  summary: string | null;
}

/** What a step is, on one line: `issue_refund: order 1042`. Text of tools and models is in it. */
export function titleOf({ kind, tool, summary }: Named): string {
  if (kind === 'model') return summary ?? 'model call';
  const name = tool ?? 'tool';
  // Many a summary begins with its tool's name.
  if (summary === null || summary === name || summary.startsWith(`${name} `))
    return summary ?? name;
  return `${name}: ${summary}`;
}

/** A step as a sentence names it: `t2.c0 issue_refund: order 1042`. */
export function labelOf(step: Named): string {
  return step.kind === 'model' ? step.id : `${step.id} ${titleOf(step)}`;
}

/** Several of them; of many, the first few. */
export function listSteps(steps: readonly Named[], most = 6): string {
  const shown = steps.slice(0, most).map(labelOf);
  if (steps.length > most) shown.push(`${steps.length - most} more`);
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
