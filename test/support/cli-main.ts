/** The command with agents of its own, so that no test leans on the example. */
import { defineAgent } from '../../src/agents/define-agent.ts';
import { runCli } from '../../src/cli/run-cli.ts';

const agents = ['assistant', 'clerk'].map((name) =>
  defineAgent({ name, description: 'An agent of a test.', instructions: 'Be brief.', tools: [] }),
);

await runCli(process.argv.slice(2), () => Promise.resolve(agents));
