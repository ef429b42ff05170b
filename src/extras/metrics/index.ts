import type { Extra } from '../../cli/app.ts';
import { servingPart } from '../../cli/commands.ts';
import type { Exposed } from './expose.ts';
import { readMetricsPort } from './settings.ts';

let exposed: Exposed | undefined;

/** Metrics for Prometheus, of workers and the service: docs/metrics.md. */
export const metrics: Extra = {
  name: 'metrics',
  commands: (program) => {
    program.hook('preAction', async (_program, command) => {
      const part = servingPart(command.name());
      const port = part && readMetricsPort();
      if (part === undefined || port === undefined) return;
      const { expose } = await import('./expose.ts');
      const { only } = command.opts<{ only?: string }>();
      exposed = await expose(port, only ?? part);
    });
    program.hook('postAction', async () => {
      await exposed?.close();
      exposed = undefined;
    });
  },
  runtime: (options) => exposed?.runtime(options) ?? options,
  worker: (parts) => exposed?.worker(parts) ?? parts,
};
