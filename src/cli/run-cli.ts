import { registerPlugins } from '../client/plugins.ts';
import { runPages } from '../client/workflow-url.ts';
import { registerLedgers } from '../ledger/open-ledger.ts';
import type { App } from './app.ts';
import { servingPart } from './commands.ts';
import { bindOptionalValues } from './options.ts';
import { handleFailingOutput } from './output.ts';
import { createProgram } from './program.ts';
import { reportError } from './report-error.ts';

/** Runs one command line; how it ended is in `process.exitCode`. */
export async function runCli(argv: readonly string[], app: App): Promise<void> {
  handleFailingOutput(servingPart(argv[0]) !== undefined);
  try {
    registerLedgers(app.extras);
    registerPlugins(app.extras);
    runPages.path = app.extras.find((extra) => extra.runPages !== undefined)?.runPages;
    const program = createProgram(app);
    await program.parseAsync(bindOptionalValues(program, argv), { from: 'user' });
  } catch (error) {
    process.exitCode = reportError(error, argv);
  }
}
