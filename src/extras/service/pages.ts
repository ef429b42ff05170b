import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { ServiceDeps } from './deps.ts';

/** Pages that an extra adds to the HTTP service. */
export interface ServicePages {
  /** What their addresses begin with, such as `/app`. */
  path: string;
  /** Loads the routes: only a process that serves needs what they import. */
  load(): Promise<(deps: ServiceDeps) => FastifyPluginAsyncZod>;
}

declare module '../../cli/app.ts' {
  interface Extra {
    /** Pages that `agent-once serve` serves too. */
    pages?: ServicePages;
  }
}
