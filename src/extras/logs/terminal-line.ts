import type { coloursOf } from '../../cli/output.ts';
import { oneLine } from '../../contract/plain-text.ts';
import type { LoggedError } from './describe-error.ts';

interface JsonLine extends Record<string, unknown> {
  time: string;
  level: string;
  msg: string;
  err?: LoggedError;
}
type Colours = ReturnType<typeof coloursOf>;

/** Fields that are the same in each line of a process. */
const LEFT_OUT = ['part', 'pid', 'hostname', 'trace_id', 'span_id', 'reqId'];

/**
 * A line of JSON for a person: time, level, message, and the other fields behind it. Text of others
 * stays in the one line, and steers no terminal.
 */
export function terminalLine(json: string, colours: Colours): string {
  const { time, level, msg, err, ...fields } = JSON.parse(json) as JsonLine;
  const paint = { warn: colours.yellow, error: colours.red, fatal: colours.red }[level];
  const tag = `[${level.toUpperCase()}]`;
  const behind = Object.entries(fields)
    .filter(([name]) => !LEFT_OUT.includes(name))
    .map(([name, value]) => ` ${name}=${asText(value)}`);
  const error = err ? ` err=${JSON.stringify(`${err.type ?? 'Error'}: ${err.message}`)}` : '';
  const said = oneLine(msg);
  return [
    colours.dim(time),
    ` ${paint?.(tag) ?? tag} ${paint?.(said) ?? said}`,
    oneLine(error),
    colours.dim(oneLine(behind.join(''))),
    ...stacksOf(err).map((line) => `\n    ${colours.dim(oneLine(line))}`),
  ].join('');
}

function asText(value: unknown): string {
  return typeof value === 'string' && /^[\w.:/@-]+$/.test(value) ? value : JSON.stringify(value);
}

function stacksOf(err: LoggedError | undefined): string[] {
  if (err?.stack === undefined) return [];
  const causes = stacksOf(err.cause);
  return [...err.stack.split('\n'), ...(causes.length > 0 ? ['caused by', ...causes] : [])];
}
