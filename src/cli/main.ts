import { bindWait } from './options.ts';
import { endsQuietlyWhenNobodyReads } from './output.ts';
import { createProgram } from './program.ts';
import { reportError } from './report-error.ts';

endsQuietlyWhenNobodyReads(process.stdout);
endsQuietlyWhenNobodyReads(process.stderr);

try {
  const program = createProgram();
  await program.parseAsync(bindWait(program, process.argv.slice(2)), { from: 'user' });
} catch (error) {
  process.exitCode = reportError(error, process.argv.slice(2));
}
