import type { Extra } from '../../cli/app.ts';
import '../service/pages.ts';
import { ROOT } from './paths.ts';

/** A page for people who answer what runs ask, and look at what runs did. */
export const operatorPage: Extra = {
  name: 'operator-page',
  runPages: `${ROOT}/runs`,
  pages: {
    path: ROOT,
    load: async () => (await import('./routes.ts')).operatorRoutes,
  },
};
