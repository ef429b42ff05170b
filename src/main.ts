import { app } from './app/compose.ts';
import { runCli } from './cli/run-cli.ts';

await runCli(process.argv.slice(2), app);
