import type { App, Extra } from '../../cli/app.ts';
import type { Spans } from './spans.ts';
import { readTraceSettings } from './settings.ts';

/** Of the command of this process; absent before it runs, and in a backend, which has no command. */
let command: { spans: Spans | undefined } | undefined;

/** Traces of runs, by OpenTelemetry. Nothing of it is loaded unless the environment asks for them. */
export const traces: Extra = {
  name: 'traces',
  commands(program, app) {
    let finish = (): Promise<void> => Promise.resolve();
    program.hook('preAction', async (_program, action) => {
      const begun = await begin(action.name(), app);
      command = { spans: begun?.spans };
      finish = begun?.finish ?? finish;
      // A command that fails passes no hook.
      if (begun) process.once('beforeExit', () => void finish());
    });
    program.hook('postAction', () => finish());
  },
  async plugins() {
    const { createPlugin } = await import('./plugin.ts');
    if (command) return [createPlugin(command.spans)];
    // A backend of somebody's own: its own SDK is asked, by OpenTelemetry's API, whatever that is.
    const { createSpans } = await import('./spans.ts');
    return [createPlugin(createSpans())];
  },
  worker: (parts) => command?.spans?.worker(parts) ?? parts,
};

async function begin(name: string, app: App) {
  const settings = readTraceSettings();
  if (!settings.on) return undefined;
  const { startTracing } = await import('./start-tracing.ts');
  return startTracing(settings, name, app.models);
}
