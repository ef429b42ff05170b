import path from 'node:path';
import { isCollection, isMap, isPair, parseDocument, type Scalar, type YAMLMap } from 'yaml';

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

/** What of docker-compose.yml an extra needs, or is for: services, files that others get, variables. */
const COMPOSED: Record<string, { services?: string[]; configs?: string[]; variables?: RegExp }> = {
  service: { services: ['service'] },
  metrics: { services: ['prometheus', 'grafana'], variables: /^AGENT_ONCE_METRICS_/ },
  traces: { services: ['jaeger'], configs: ['grafana-jaeger'], variables: /^OTEL_/ },
  encryption: { variables: /^AGENT_ONCE_ENCRYPTION_/ },
  notify: { variables: /^AGENT_ONCE_NOTIFY_/ },
  'operator-page': { variables: /^AGENT_ONCE_PUBLIC_URL$/ },
};

/** A Compose file under the copy's name, without what is of extras that the copy has not. */
export function composeFileOf(file: string, name: string, extras: readonly string[]): string {
  const named = file
    .replace(/^name: agent-once$/m, `name: ${name}`)
    .replaceAll(/^( +image: )agent-once:/gm, `$1${name}:`);
  const document = parseDocument(named);
  const services = document.get('services') as YAMLMap<Scalar<string>, YAMLMap>;
  for (const [extra, { services: own = [], configs = [], variables }] of Object.entries(COMPOSED)) {
    if (extras.includes(extra)) continue;
    for (const service of own) services.delete(service);
    for (const { value: service } of services.items) {
      remove(service?.get('environment'), (variable) => variables?.test(nameOf(variable)) === true);
      remove(service?.get('configs'), (config) => configs.includes(sourceOf(config)));
    }
  }
  const left = JSON.stringify(services.toJSON());
  remove(document.get('configs'), (config) => !left.includes(`"source":"${nameOf(config)}"`));
  remove(document.get('volumes'), (volume) => !left.includes(`"${nameOf(volume)}:/`));
  const gone = [
    ...(services.has('service') ? [] : [/^#.* run --rm service .*\n/m]),
    ...(left.includes('"profiles"') ? [] : [/^#.* --profile .*\n/m]),
  ];
  const text = document.toString({ lineWidth: 0 });
  return gone.reduce((sofar, line) => sofar.replace(line, ''), text);
}

/** Removes items of a map or a list; where there is neither, none. */
function remove(from: unknown, isGone: (item: unknown) => boolean): void {
  if (isCollection(from)) from.items = from.items.filter((item: unknown) => !isGone(item));
}

function nameOf(item: unknown): string {
  return isPair(item) ? String(item.key) : '';
}

function sourceOf(item: unknown): string {
  return isMap(item) ? String(item.get('source')) : '';
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
  const named = text.replaceAll('/agent-once', `/${name}`);
  const unmeasured = extras.includes('metrics')
    ? named
    : named.replace(/^.*\.\.\/metrics.*\n/gm, '');
  const own = extras.includes('encryption')
    ? unmeasured
    : unmeasured.replace(/^.* \.\.\/codec\n/m, '');
  if (extras.includes('service')) return own;
  return own
    .replace('components:\n  - ../service\n', '')
    .replace('# - ../keda', '# components: ../keda');
}
