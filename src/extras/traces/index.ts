import type { App, Extra } from '../../cli/app.ts';
import { servingPart } from '../../cli/commands.ts';
import { say } from '../../cli/output.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import type { Spans } from './spans.ts';
import { readTraceSettings, type TraceSettings } from './settings.ts';

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
  runtime: (options) => command?.spans?.runtime(options) ?? options,
  worker: (parts) => command?.spans?.worker(parts) ?? parts,
};

async function begin(name: string, app: App) {
  const settings = settingsOf(name);
  if (!settings || settings.exporters.length === 0) return undefined;
  const { startTracing } = await import('./start-tracing.ts');
  return startTracing(settings, name, app.models);
}

/**
 * A command whose work is something else does it without traces.
 *
 * @throws {AgentOnceError} `config.invalid`: of a part that serves
 */
function settingsOf(name: string): TraceSettings | undefined {
  try {
    return readTraceSettings();
  } catch (error) {
    if (!(error instanceof AgentOnceError) || servingPart(name)) throw error;
    say(`This command is not traced. ${error.message}`);
    return undefined;
  }
}
