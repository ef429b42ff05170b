import type { LoadAgents } from './open-client.ts';
import { bindOptionalValues } from './options.ts';
import { handleFailingOutput } from './output.ts';
import { createProgram } from './program.ts';
import { reportError } from './report-error.ts';

/** Commands whose output is a log. */
const SERVING = new Set(['serve', 'worker']);

/** Runs one command line; how it ended is in `process.exitCode`. */
export async function runCli(argv: readonly string[], loadAgents: LoadAgents): Promise<void> {
  handleFailingOutput(SERVING.has(argv[0] ?? ''));
  try {
    const program = createProgram(loadAgents);
    await program.parseAsync(bindOptionalValues(program, argv), { from: 'user' });
  } catch (error) {
    process.exitCode = reportError(error, argv);
  }
}
