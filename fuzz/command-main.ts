/** The command with the agent of the fuzz. */
import { chaosAgent } from '../chaos/agents.ts';
import { app } from '../src/app/compose.ts';
import { runCli } from '../src/cli/run-cli.ts';

await runCli(process.argv.slice(2), { ...app, agents: () => Promise.resolve([chaosAgent]) });
