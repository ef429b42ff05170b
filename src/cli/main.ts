import { endsQuietlyWhenNobodyReads } from './output.ts';
import { createProgram } from './program.ts';
import { reportError } from './report-error.ts';

endsQuietlyWhenNobodyReads(process.stdout);
endsQuietlyWhenNobodyReads(process.stderr);

try {
  const program = await createProgram();
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportError(error, process.argv.slice(2));
}
