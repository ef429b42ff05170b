import type { Manifest } from '../../scripts/read-manifests.ts';

/** What a room may import: other rooms, and packages where they are limited. */
interface Room {
  rooms: readonly string[];
  /** The only packages; absent: any but those of `no`. */
  only?: readonly string[];
  no?: readonly string[];
}

/** The engine's rooms as `docs/architecture.md` tells them. A room may import itself. */
export const ENGINE: Readonly<Record<string, Room>> = {
  contract: { rooms: [], only: ['node:crypto', 'canonicalize'] },
  workflows: { rooms: ['contract'], only: ['@temporalio/common', '@temporalio/workflow'] },
  /** Files of `src` itself: settings, the public face, the program's start. */
  settings: { rooms: ['contract'] },
  ledger: { rooms: ['contract', 'settings'], no: ['@temporalio', 'openai'] },
  model: { rooms: ['contract', 'settings'], no: ['@temporalio', 'pg'] },
  define: { rooms: ['contract', 'settings'], no: ['@temporalio'] },
  activities: {
    rooms: ['contract', 'settings', 'ledger', 'model', 'define'],
    no: ['@temporalio/workflow', '@temporalio/worker', '@temporalio/client', 'pg'],
  },
  client: {
    rooms: ['contract', 'settings'],
    no: ['@temporalio/workflow', '@temporalio/worker', '@temporalio/activity', 'openai', 'pg'],
  },
  worker: {
    rooms: [
      'contract',
      'settings',
      'ledger',
      'model',
      'define',
      'activities',
      'workflows',
      'client',
    ],
  },
  cli: { rooms: ['contract', 'settings', 'client', 'define', 'ledger', 'worker'] },
};

/** What the rooms of the engine are to an extra. Activities and workflows are not for it. */
const FOR_EXTRAS = ['contract', 'settings', 'client', 'define', 'ledger', 'model', 'worker', 'cli'];
const MORE: Readonly<Record<string, readonly string[]>> = {
  // Plays a plain Temporal workflow, and needs the fault points.
  demo: ['activities'],
  // Reads which file imports which.
  template: ['scripts'],
};
/** The app that a copy begins with. */
const SEED = 'src/extras/template/app/';

/** The room of a file: `ledger`, `extras/service`, `app`; of files outside `src` their folder. */
export function roomOf(file: string): string {
  const [top = '', folder = '', name] = file.split('/');
  if (top !== 'src') return top;
  if (file.startsWith(SEED)) return 'app';
  if (name === undefined)
    return folder === 'main.ts' || folder === 'index.ts' ? folder : 'settings';
  return folder === 'extras' ? `extras/${name}` : folder;
}

/**
 * Whether the app may import a file, besides its own: of the engine the public face, of an extra what
 * it shows. The workflows are bundled, and take ours from their own room.
 */
export function isForApp(from: string, to: string): boolean {
  return (
    to === 'src/index.ts' ||
    /^src\/extras\/[^/]+\/index\.ts$/.test(to) ||
    (/^src\/(extras\/template\/)?app\/workflows\//.test(from) && to === 'src/workflows/index.ts')
  );
}

/** Rooms that a room may import. */
export function mayImport(
  manifests: ReadonlyMap<string, Manifest>,
  room: string,
): readonly string[] {
  if (room === 'main.ts') return ['app', 'cli'];
  if (room === 'index.ts') return Object.keys(ENGINE).filter((each) => each !== 'workflows');
  const extra = /^extras\/(.+)$/.exec(room)?.[1];
  if (extra !== undefined) {
    const requires = manifests.get(extra)?.requires ?? [];
    const others = requires.map((each) => `extras/${each}`);
    return [...FOR_EXTRAS, ...(MORE[extra] ?? []), ...others];
  }
  return ENGINE[room]?.rooms ?? [];
}

/** Whether a room may import a package. */
export function mayUse(room: string, name: string): boolean {
  const { only, no = [] } = ENGINE[room] ?? {};
  if (only) return only.includes(name);
  return !no.some((each) => name === each || name.startsWith(`${each}/`));
}
