// Finds or installs the Temporal CLI and prints where it is. Called by setup.mjs.
import { AgentOnceError } from '../src/contract/errors.ts';
import { installTemporalCli } from '../src/extras/dev/install-temporal-cli.ts';

try {
  console.log(await installTemporalCli((line) => console.error(`setup: ${line}`)));
} catch (error) {
  if (!(error instanceof AgentOnceError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
