import path from 'node:path';

/** Root of the project, from `src/extras/dev/` as well as from `dist/extras/dev/`. */
export const PROJECT_ROOT = path.resolve(import.meta.dirname, '..', '..', '..');

/** What was downloaded for this clone and can be deleted at any time. */
export const CACHE_DIR = path.join(PROJECT_ROOT, '.cache');
