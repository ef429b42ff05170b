import path from 'node:path';

/** Where the app of a copy lies here, to be type-checked and tested. */
export const SEED = 'src/extras/template/app';

/** A file of the seed, at its place in a copy: what it imports of the others is elsewhere then. */
export function moveSeed(file: string, text: string): { file: string; text: string } {
  const target = file.replace(SEED, 'src/app');
  const moved = text.replaceAll(/(?<=')\.\.?\/[^']+\.ts(?=')/g, (specifier) => {
    const imported = path.posix.join(path.posix.dirname(file), specifier);
    if (imported.startsWith(`${SEED}/`)) return specifier;
    const relative = path.posix.relative(path.posix.dirname(target), imported);
    return relative.startsWith('.') ? relative : `./${relative}`;
  });
  return { file: target, text: moved };
}

/**
 * The composition without the lines of extras that a copy has not: one is an import, one an entry,
 * and what the app has for that entry alone is imported no more.
 */
export function composeOf(text: string, extras: readonly string[]): string {
  const gone = new Set<string>();
  const kept = text.split('\n').filter((line) => {
    const [, name, extra] = /^import \{ (\w+) \} from '.*\/extras\/([\w-]+)\//.exec(line) ?? [];
    if (name !== undefined && extra !== undefined && !extras.includes(extra)) gone.add(name);
    const [, entry] = /^ {4}(\w+)(?:\(.*\))?,$/.exec(line) ?? [];
    return !gone.has(name ?? entry ?? '');
  });
  const isUsed = (line: string): boolean => {
    const [, name] = /^import \{ (\w+) \} from '\.\//.exec(line) ?? [];
    const uses = new RegExp(`\\b${name}\\b`);
    return name === undefined || kept.some((other) => other !== line && uses.test(other));
  };
  return kept.filter(isUsed).join('\n');
}

/** Whether a file of the app is written for an extra that a copy has not. */
export function isForOtherExtra(text: string, extras: readonly string[]): boolean {
  const imported = [...text.matchAll(/ from '[^']*\/extras\/([\w-]+)\//g)];
  return imported.some(([, extra = '']) => !extras.includes(extra));
}

/** A Compose file under the copy's name, without the service where the copy has not that extra. */
export function composeFileOf(text: string, name: string, extras: readonly string[]): string {
  const named = text
    .replace(/^name: agent-once$/m, `name: ${name}`)
    .replaceAll(/^( +image: )agent-once:/gm, `$1${name}:`);
  if (extras.includes('service')) return named;
  return named
    .replace(/^#.* run --rm service .*\n/m, '')
    .replace(/\n(?: {2}#.*\n)*  service:\n(?:(?: {4}.*)?\n)*/, '\n')
    .replace(/, 'service:\d+'/, '');
}

/** A page without links to files that a copy has not: their words stay. */
export function unlink(page: string, text: string, isThere: (file: string) => boolean): string {
  return text.replaceAll(
    /\[([^\]]*)\]\((?!https?:|#|mailto:)([^)#]*)[^)]*\)/g,
    (link, words, to) =>
      isThere(path.posix.join(path.posix.dirname(page), String(to))) ? link : String(words),
  );
}

/** The kustomization of a copy: its own image, and the HTTP service where it has that. */
export function kustomizationOf(text: string, name: string, extras: readonly string[]): string {
  const own = text.replaceAll('/agent-once', `/${name}`);
  if (extras.includes('service')) return own;
  return own
    .replace('components:\n  - ../service\n', '')
    .replace('# - ../keda', '# components: ../keda');
}
