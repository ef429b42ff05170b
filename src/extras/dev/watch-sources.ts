import { existsSync } from 'node:fs';
import path from 'node:path';
import { PROJECT_ROOT } from './paths.ts';

/** Editors write a file in several steps, and people save several files. */
const SETTLE_MS = 150;

/** Watches `src/` and `examples/`, until it is closed. */
export async function watchSources(
  onChange: (file: string) => void,
): Promise<{ close(): Promise<void> }> {
  const { watch } = await import('chokidar');
  const folders = ['src', 'examples'].map((name) => path.join(PROJECT_ROOT, name));
  const watcher = watch(
    folders.filter((folder) => existsSync(folder)),
    { ignoreInitial: true },
  );
  let timer: NodeJS.Timeout | undefined;
  watcher.on('all', (_event, file) => {
    clearTimeout(timer);
    timer = setTimeout(() => onChange(file), SETTLE_MS);
  });
  return {
    close: () => {
      clearTimeout(timer);
      return watcher.close();
    },
  };
}
