import type { Extra } from '../../cli/app.ts';
import type { Exposed } from './expose.ts';
import { readMetricsPort } from './settings.ts';

/** The commands that go on until they are told to stop: what they count, somebody can ask for. */
const COMMANDS = ['worker', 'serve'];

let exposed: Exposed | undefined;

/** Metrics for Prometheus, of workers and the service: docs/metrics.md. */
export const metrics: Extra = {
  name: 'metrics',
  commands: (program) => {
    program.hook('preAction', async (_program, command) => {
      const port = COMMANDS.includes(command.name()) ? readMetricsPort() : undefined;
      if (port === undefined) return;
      const { expose } = await import('./expose.ts');
      const { only } = command.opts<{ only?: string }>();
      const part = command.name() === 'serve' ? 'service' : (only ?? 'worker');
      exposed = await expose(port, part);
    });
    program.hook('postAction', async () => {
      await exposed?.close();
      exposed = undefined;
    });
  },
  runtime: (options) => exposed?.runtime(options) ?? options,
  worker: (parts) => exposed?.worker(parts) ?? parts,
};
