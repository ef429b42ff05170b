import type { Upgraded } from './upgrade-copy.ts';

const MIGRATION = /\tsrc\/ledger\/postgres\/migrations\/(\S+)\.sql$/;

/** For a person: what changed, and what is left to do. */
export function describeUpgrade(upgraded: Upgraded, dryRun: boolean): string {
  const { before, after, anything, files, news } = upgraded;
  if (!anything) {
    return `There is nothing to merge: this copy has version ${after} of the template as it is there.`;
  }
  const versions = before === after ? after : `${before} → ${after}`;
  const count = (status: string, words: string): string[] => {
    const found = files.filter((line) => line.startsWith(status)).length;
    return found === 0 ? [] : [`${found} ${words}`];
  };
  const counts = [
    ...count('M', 'changed'),
    ...count('A', 'new'),
    ...count('D', 'deleted'),
    ...count('R', 'renamed'),
  ];
  const did = dryRun ? 'would bring' : 'brought';
  const todo = toDo(upgraded, dryRun).map((line) => `- ${line}`);
  return [
    `The upgrade ${did} the template's files here (${versions}): ${counts.join(', ')}.`,
    ...(news === '' ? [] : [`What is new, from docs/changelog.md:\n\n${news}`]),
    ...(dryRun
      ? ['Nothing was changed. After the upgrade these are left to do:']
      : ['Left to do:']),
    todo.join('\n'),
  ].join('\n\n');
}

function toDo(upgraded: Upgraded, dryRun: boolean): string[] {
  const { conflicts, kept, lockProblem, toCompose, files } = upgraded;
  const migrations = files.flatMap((line) => {
    const [, name] = line.startsWith('A') ? (MIGRATION.exec(line) ?? []) : [];
    return name ?? [];
  });
  const lines: string[] = [];
  if (conflicts.length > 0) {
    const how = dryRun
      ? ''
      : '\n  Then "git add" them and "git commit". "git merge --abort" undoes the merge instead; the next upgrade brings the same again.';
    lines.push(`Settle what was changed both here and in the template:${indent(conflicts)}${how}`);
  }
  if (kept.length > 0) {
    lines.push(
      `Look at these keys of package.json, changed both here and in the template; yours stayed:${indent(kept)}`,
    );
  }
  if (lockProblem !== undefined) {
    lines.push(`Run "npm install": npm could not make the lock file.${indent([lockProblem])}`);
  }
  if (toCompose.length > 0) {
    lines.push(`Put the new extras into src/app/compose.ts, which is yours:${indent(toCompose)}`);
  }
  if (migrations.length > 0) {
    lines.push(
      `The ledger gets new tables (${migrations.join(', ')}) when a worker starts. Where its user may not make them, run "agent-once ledger migrate" before.`,
    );
  }
  return [...lines, 'Run "npm run check" and "npm test".'];
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `\n    ${line}`).join('');
}
