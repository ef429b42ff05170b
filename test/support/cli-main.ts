/** The command with the app's extras and agents of its own, so that no test leans on the example. */
import { defineAgent } from '../../src/define/define-agent.ts';
import { app } from '../../src/app/compose.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { inLane, withoutEffects } from './test-agents.ts';

const agents = ['assistant', 'clerk'].map((name) =>
  defineAgent({ name, description: 'An agent of a test.', instructions: 'Be brief.', tools: [] }),
);

/** Those of the workers of `system.ts`, or the same after a change. */
const without = (process.env['TEST_WITHOUT_EFFECTS'] ?? '').split(',');
const workersAgents = inLane(withoutEffects(without)).map((agent) => ({
  ...agent,
  instructions: process.env['TEST_INSTRUCTIONS'] ?? agent.instructions,
}));

const own = process.env['TEST_OWN_APP'] === '1' ? await import('./own-app/app.ts') : undefined;

/** None, or those of the app in the other order. */
const extras = { none: [], reversed: app.extras.toReversed() };
const { TEST_EXTRAS } = process.env;

await runCli(process.argv.slice(2), {
  ...app,
  ...(own && { folder: own.folder }),
  extras: TEST_EXTRAS === 'none' || TEST_EXTRAS === 'reversed' ? extras[TEST_EXTRAS] : app.extras,
  agents: () =>
    Promise.resolve(process.env['TEST_AGENTS'] === 'of workers' ? workersAgents : agents),
});
