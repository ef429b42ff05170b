import { InvalidArgumentError, Option, type Command } from 'commander';

/** What every command about runs takes. */
export interface RunFlags {
  tenant?: string;
  json?: true;
}

export interface WaitFlag {
  /** Seconds; `true`: until the run ends. */
  wait?: number | true;
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

/** Longest wait, in seconds: about twelve days. */
const LONGEST = 1_000_000;

function parseSeconds(text: string): number | true {
  if (text === '') return true;
  const seconds = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && seconds <= LONGEST) return seconds;
  throw new InvalidArgumentError(`Give seconds, from 0 to ${LONGEST}, as in --wait=30.`);
}

/**
 * Commander lets an optional value follow after a space, so `--wait support` would wait for
 * "support" seconds. Here it follows after `=` only.
 */
export function bindWait(program: Command, argv: readonly string[]): string[] {
  const takesValue = new Set(
    program.commands
      .flatMap((command) => command.options)
      .filter((option) => option.required)
      .flatMap((option) => [option.short, option.long]),
  );
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
  return argv.map((argument, at) => {
    const isValue = takesValue.has(argv[at - 1]);
    return argument === '--wait' && at < end && !isValue ? '--wait=' : argument;
  });
}
