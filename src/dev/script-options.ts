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
