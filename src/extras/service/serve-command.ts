import type { Command } from 'commander';
import type { App } from '../../cli/app.ts';
import './pages.ts';
import { parsePort } from '../../cli/options.ts';
import { say } from '../../cli/output.ts';
import { DEV_PORTS } from '../../config.ts';

interface ServeFlags {
  host: string;
  port: number;
  open?: true;
}

/** `agent-once serve`: the HTTP service, until it is told to stop. */
export function registerServe(program: Command, app: App): void {
  program
    .command('serve')
    .description('serve runs over HTTP')
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <port>', 'port to listen on (0: any free one)', parsePort, DEV_PORTS.http)
    .option('--open', 'ask for no API keys; on this machine alone')
    .addHelpText(
      'after',
      `
Callers need an API key: agent-once api-keys create <tenant>. The document of the API is at
/openapi.json, a page to browse it at /docs, health at /livez and /readyz. Stops gracefully on
SIGTERM or Ctrl-C: requests under way are answered. After SIGTERM /readyz says 503 for 5 s first, and
requests are taken as before (AGENT_ONCE_DRAIN).

Examples:
  $ agent-once serve --open
  $ agent-once serve --host 0.0.0.0 --port 8080`,
    )
    .action(async (flags: ServeFlags) => {
      const [{ readConfig }, agents, { runService }] = await Promise.all([
        import('../../config.ts'),
        app.agents(),
        import('./run-service.ts'),
      ]);
      const pages = app.extras.flatMap((extra) => extra.pages ?? []);
      const stopping = new AbortController();
      const hurry = new AbortController();
      const stop = (signal: NodeJS.Signals): void => {
        if (stopping.signal.aborted) process.exit(1);
        // At a terminal nobody sends requests on to another service.
        if (signal === 'SIGINT') hurry.abort();
        stopping.abort();
      };
      process.on('SIGTERM', stop).on('SIGINT', stop);
      await runService(readConfig(), {
        agents,
        models: app.models,
        pages,
        host: flags.host,
        port: flags.port,
        open: flags.open === true,
        signal: stopping.signal,
        hurry: hurry.signal,
        pino: (options) =>
          app.extras.reduce((before, { log }) => log?.pino(before) ?? before, options),
        onReady: ({ url }) => {
          if (flags.open) {
            say(
              'Anybody on this machine may start, read and decide runs: --open asks for no API keys.',
            );
          }
          const shown = [...pages.map(({ path }) => url + path), `${url}/docs`];
          say(`The service is ready: ${url}, its pages: ${shown.join(', ')}`);
        },
      });
    });
}
