import type { Command } from 'commander';
import { EXIT } from '../../cli/commands.ts';

interface UpgradeFlags {
  from: string;
  with: string[];
  dryRun?: true;
}

/** `agent-once upgrade`. */
export function registerUpgrade(program: Command): void {
  program.commandsGroup('Parts:');
  program
    .command('upgrade')
    .summary('bring this copy of the template up to date, by git')
    .description(
      'Writes the new version of the template to the branch "agent-once", with the extras of this copy, and merges it into the current branch. What you changed is merged by git, package.json by its keys; src/app and README.md are never written.',
    )
    .requiredOption('--from <place>', "the template's folder or git URL; what is committed counts")
    .option(
      '--with <extras>',
      'extras to add, with commas between',
      (list: string) => list.split(',').map((name) => name.trim()),
      [],
    )
    .option('--dry-run', 'say what would change, and change nothing')
    .addHelpText(
      'after',
      `
Examples:
  $ agent-once upgrade --from ../agent-once --dry-run
  $ agent-once upgrade --from ../agent-once --with service

Exit codes:
  0  merged, or nothing to merge
  2  not possible here, such as changes that are not committed; nothing was changed
  3  merged but for conflicts, which are yours to settle; or they would be, with --dry-run`,
    )
    .action(async (flags: UpgradeFlags) => {
      const [{ requireCheckout }, { upgradeCopy }, { describeUpgrade }, { say }] =
        await Promise.all([
          import('../dev/checkout-only.ts'),
          import('./upgrade-copy.ts'),
          import('./describe-upgrade.ts'),
          import('../../cli/output.ts'),
        ]);
      const { from, with: added, dryRun = false } = flags;
      const upgraded = upgradeCopy(requireCheckout(), { from, added, dryRun });
      say(describeUpgrade(upgraded, dryRun));
      if (upgraded.conflicts.length > 0) process.exitCode = EXIT.conflict;
    });
}
