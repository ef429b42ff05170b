/** What every script takes, for `parseArgs`. */
export const SCRIPT_OPTIONS = {
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** Calls `parseArgs`. @throws {RangeError} for what is no option */
export function parsed<Parsed>(parse: () => Parsed): Parsed {
  try {
    return parse();
  } catch (error) {
    throw new RangeError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** A whole number from the command line. @throws {RangeError} */
export function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= least) return value;
  throw new RangeError(`${name} must be a whole number from ${least}.`);
}

/** The options of a script; ends the process after its usage, and after what is wrong with them. */
export function optionsOrExit<Options>(
  read: (args: readonly string[]) => Options | 'help',
  usage: string,
): Options {
  try {
    const options = read(process.argv.slice(2));
    if (options !== 'help') return options;
    process.stdout.write(usage);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

/** Prints the text; with `json` the report as JSON on stdout, and the text on stderr. */
export function printReport(report: unknown, text: string, json: boolean): void {
  if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
  (json ? process.stderr : process.stdout).write(`${text}\n`);
}
