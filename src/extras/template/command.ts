import type { Command } from 'commander';

interface NewFlags {
  with: string[];
  example?: true;
  json?: true;
}

/** `agent-once new`. */
export function registerNew(program: Command): void {
  program.commandsGroup('Parts:');
  program
    .command('new')
    .argument('<folder>', 'an empty one, or one that there is not yet')
    .summary('write a copy of this template that is yours')
    .description(
      'Writes a copy of this template that is yours: the engine, an app with one small agent, the extras that you choose, and their tests and pages. It is a git repository; "agent-once upgrade" brings it up to date later.',
    )
    .option(
      '--with <extras>',
      'names with commas between, or one of default, none, all',
      (list: string) => list.split(',').map((name) => name.trim()),
      ['default'],
    )
    .option('--example', "begin with the example's agent, its shop and its demo")
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Every copy has the extras dev and upgrade; the default is explain, decisions and maintenance too.

Examples:
  $ agent-once new ../my-agents
  $ agent-once new ../my-agents --with default,service,batch
  $ agent-once new ../try --example`,
    )
    .action(async (folder: string, flags: NewFlags) => {
      const [{ requireCheckout }, { newCopy }, { printJson, say }] = await Promise.all([
        import('../dev/checkout-only.ts'),
        import('./new-copy.ts'),
        import('../../cli/output.ts'),
      ]);
      const written = newCopy(requireCheckout(), folder, {
        extras: flags.with,
        example: flags.example ?? false,
      });
      if (flags.json) return printJson(written);
      const { name, files, source, tests, pages, extras } = written;
      const count = (lines: number): string => lines.toLocaleString('en');
      say(
        `${name} is in ${folder}: ${count(files)} files with ${count(source)} lines of source, ${count(tests)} of tests and ${count(pages)} of pages.
Its extras: ${extras.join(', ')}.

  cd ${folder}
  npm run dev        everything on this machine, after installing what it needs
  npm test           the tests of the app, and the engine's most important ones
  npm run check      types, lint, format

README.md goes on from there.`,
      );
    });
}
