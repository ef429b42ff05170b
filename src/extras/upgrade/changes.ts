/**
 * The entries of the new changelog that the old one has not, under their versions' headings: the
 * version that is not released yet grows, too.
 */
export function newEntries(before: string, after: string): string {
  const known = new Set(entriesOf(before).map(({ text }) => text));
  const lines: string[] = [];
  let heading = '';
  for (const { version, text } of entriesOf(after)) {
    if (known.has(text)) continue;
    if (version !== heading) lines.push(version);
    heading = version;
    lines.push(text);
  }
  return lines.join('\n');
}

function entriesOf(changelog: string): { version: string; text: string }[] {
  return changelog.split(/^(?=## )/m).flatMap((section) => {
    const [version = '', ...lines] = section.split('\n');
    if (!version.startsWith('## ')) return [];
    const entries = lines.join('\n').split(/^(?=- |### )/m);
    return entries
      .filter((entry) => entry.startsWith('- '))
      .map((entry) => ({ version: version.slice(3), text: entry.trimEnd() }));
  });
}
