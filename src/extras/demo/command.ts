import type { Command } from 'commander';
import type { DemoOutcome } from './run-demo.ts';
import type { BesidePart } from '../dev/beside.ts';
import { fromCheckout } from '../dev/checkout-only.ts';
import { STARTER } from './starters.ts';

interface DemoFlags {
  compare?: true;
  keep?: true;
  json?: true;
}

/** `agent-once demo-starter`, which the demo itself starts: no help shows it. */
export function registerStarter(program: Command): void {
  program.command(STARTER, { hidden: true }).action(async () => {
    const { startOnWord } = await fromCheckout(() => import('./starter.ts'));
    await startOnWord();
  });
}

/** `agent-once demo`: the main job on real parts, with a worker killed at the worst moment. */
export function registerDemo(program: Command, beside: readonly BesidePart[]): void {
  program
    .command('demo')
    .description('show the main job: 20 duplicate requests, a killed worker, one refund')
    .option('--compare', 'take a plain Temporal workflow through the same kill')
    .option('--keep', 'leave everything running afterwards, until Ctrl-C')
    .option('--json', 'print the report as one JSON document on stdout')
    .addHelpText(
      'after',
      `
Starts its own Temporal, PostgreSQL, model and shop on free ports and stops them in the end. Every
number is read from the shop, the model server and Temporal. Exit code 1 if one is not as promised.`,
    )
    .action(async (flags: DemoFlags) => {
      const [{ readConfig }, { runDemo }, { drawReport }, { printJson, say }] = await Promise.all([
        import('../../config.ts'),
        fromCheckout(() => import('./run-demo.ts')),
        fromCheckout(() => import('./report.ts')),
        import('../../cli/output.ts'),
      ]);
      const interrupted = new Promise<void>((resolve) => {
        process.once('SIGINT', () => resolve()).once('SIGTERM', () => resolve());
      });
      const print = flags.json ? say : (line: string) => process.stdout.write(`${line}\n`);
      let step = 0;
      await runDemo(readConfig(), {
        beside,
        compare: flags.compare === true,
        tell: (line) => print(`${String((step += 1)).padStart(2)}. ${line}`),
        done: async (outcome: DemoOutcome) => {
          const kept = outcome.findings.every((finding) => finding.kept);
          process.exitCode = kept ? 0 : 1;
          if (flags.json) {
            const { findings, compared, duplicates, replay, conflict, workflowUrl } = outcome;
            printJson({ kept, findings, compared, duplicates, replay, conflict, workflowUrl });
          } else {
            print(`\n${drawReport(outcome.findings)}`);
            if (outcome.compared.length > 0) {
              print('\nA plain Temporal workflow, killed at the same place:');
              for (const { what, from, value } of outcome.compared)
                print(`  ${what}: ${value} (read from ${from})`);
            }
            for (const failure of outcome.duplicates.failed) print(`A start failed: ${failure}`);
            print(
              kept ? '\nEverything is as promised.' : '\nNOT as promised: see the lines marked ✗.',
            );
          }
          if (!flags.keep) {
            print('To look at the run in Temporal UI: npm run demo -- --keep');
            return;
          }
          print(`Look at the run in Temporal UI: ${outcome.workflowUrl}`);
          print('Everything stays up until Ctrl-C.');
          await interrupted;
        },
      });
    });
}
