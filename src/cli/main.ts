import { runCli } from './run-cli.ts';

await runCli(process.argv.slice(2), async () => (await import('../agents/index.ts')).agents);
