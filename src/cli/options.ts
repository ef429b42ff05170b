import { InvalidArgumentError, Option, type Command } from 'commander';
import type { RunRef } from '../client/types.ts';
import { defined } from '../contract/defined.ts';
import { DEFAULT_TENANT } from '../contract/key.ts';
import type { ResumeLimits } from '../contract/run.ts';
import { isEffort, LAST_PRIORITY } from '../contract/settings.ts';

/** What every command about runs takes. */
export interface RunFlags {
  tenant?: string;
  json?: true;
}

export interface WaitFlag {
  /** Seconds; `true`: until the run ends. */
  wait?: number | true;
}

/** What a command about a run says of itself, and takes. */
interface RunCommand {
  summary: string;
  description: string;
  /** Before the options that all of them take. */
  options?: readonly Option[];
  /** After the options: notes, examples, exit codes. */
  help: string;
}

/** A command about a run that there is. */
export function addRunCommand(
  program: Command,
  name: string,
  { summary, description, options = [], help }: RunCommand,
): Command {
  const command = program
    .command(name)
    .summary(summary)
    .description(description)
    .showHelpAfterError(
      `Try --help. A key that begins with a hyphen stands behind --: agent-once ${name} -- <agent> <key>`,
    )
    .argument('<agent>', 'name of the agent')
    .argument('<key>', 'idempotency key of the run');
  for (const option of options) command.addOption(option);
  return addRunOptions(command).addHelpText('after', help);
}

/** The run that a command is about. */
export function runOf(agent: string, key: string, { tenant }: RunFlags): Required<RunRef> {
  return { agent, key, tenant: tenant ?? DEFAULT_TENANT };
}

export function addRunOptions(command: Command): Command {
  return command
    .option('--tenant <tenant>', 'whose run it is', 'default')
    .option('--json', 'print one JSON document on stdout, everything else on stderr');
}

export function waitOption(): Option {
  return new Option(
    '--wait [seconds]',
    'wait for the end, at most this long (written --wait=30)',
  ).argParser(parseSeconds);
}

/** @param maxTurns what that option says of itself */
export function limitOptions(maxTurns: string): Option[] {
  return [
    new Option('--max-turns <n>', maxTurns).argParser(parseCount(Number.MAX_SAFE_INTEGER)),
    new Option(
      '--priority <n>',
      "from 1, whose steps go first where work waits for workers, to 5, instead of the agent's own",
    ).argParser(parseCount(LAST_PRIORITY)),
    new Option(
      '--reasoning-effort <word>',
      'of a run that is resumed: how long its model thinks from there on, such as low',
    ).argParser(parseEffort),
    new Option(
      '--max-output-tokens <n>',
      'of a run that is resumed: tokens of one answer at most from there on',
    ).argParser(parseCount(Number.MAX_SAFE_INTEGER)),
  ];
}

/** The limits that the flags name; `undefined`: none. */
export function limitsOf(flags: ResumeLimits): ResumeLimits | undefined {
  const { maxTurns, priority, model, reasoningEffort, maxOutputTokens } = flags;
  const limits = defined({ maxTurns, priority, model, reasoningEffort, maxOutputTokens });
  return Object.keys(limits).length === 0 ? undefined : limits;
}

function parseEffort(text: string): string {
  if (isEffort(text)) return text;
  throw new InvalidArgumentError('Give a word, such as none, low or high.');
}

/** Seconds of a dedup window that is given none. */
const DEFAULT_WINDOW = 300;

export function dedupeWindowOption(): Option {
  return new Option(
    '--dedupe-window [seconds]',
    `without a key: the same input within so many seconds is the same run (default ${DEFAULT_WINDOW})`,
  ).argParser(parseWindow);
}

/** A whole number from 1, for options that count something. */
export function parseCount(most: number): (text: string) => number {
  return (text) => numberOf(text, 1, most, `Give a whole number from 1 to ${most}.`);
}

/** A port; 0: any free one. */
export function parsePort(text: string): number {
  return numberOf(text, 0, 65_535, 'A port is a number from 0 to 65535.');
}

/** Longest wait, in seconds: about twelve days. */
const LONGEST = 1_000_000;
const SECONDS = /^\d+(\.\d+)?$/;

function parseWindow(text: string): number {
  const advice = `Give seconds, up to ${LONGEST}, as in --dedupe-window=60.`;
  return text === '' ? DEFAULT_WINDOW : numberOf(text, 0.001, LONGEST, advice, SECONDS);
}

function parseSeconds(text: string): number | true {
  const advice = `Give seconds, from 0 to ${LONGEST}, as in --wait=30.`;
  return text === '' || numberOf(text, 0, LONGEST, advice, SECONDS);
}

function numberOf(
  text: string,
  least: number,
  most: number,
  advice: string,
  form = /^\d+$/,
): number {
  const value = Number(text);
  if (form.test(text) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(advice);
}

/**
 * Commander lets an optional value follow after a space, so `--wait support` would wait for
 * "support" seconds. Here it follows after `=` only.
 */
export function bindOptionalValues(program: Command, argv: readonly string[]): string[] {
  const options = program.commands.flatMap((command) => command.options);
  const names = (some: readonly Option[]) =>
    new Set(some.flatMap(({ short, long }) => [short, long]));
  const takesValue = names(options.filter(({ required }) => required));
  const mayTakeValue = names(options.filter(({ optional }) => optional));
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
  return argv.map((argument, at) => {
    const isValue = takesValue.has(argv[at - 1]);
    return mayTakeValue.has(argument) && at < end && !isValue ? `${argument}=` : argument;
  });
}
