import { types } from 'node:util';
import { defined } from '../../contract/defined.ts';

/** An error in a line. `stack` and `cause` are for `AGENT_ONCE_LOG_LEVEL=debug`. */
export interface LoggedError {
  type?: string;
  message: string;
  stack?: string;
  cause?: LoggedError;
}

/** Characters of one text: an error may repeat a whole request. */
const LONGEST = 4_000;
const DEEPEST = 10;

/** @param clean takes out of a text what must not be in a log */
export function describeError(
  error: unknown,
  clean: (text: string) => string,
  stacks: boolean,
  depth = 0,
): LoggedError {
  const text = (given: unknown): string => {
    const all = clean(String(given));
    return all.length > LONGEST ? `${all.slice(0, LONGEST)} … (cut)` : all;
  };
  // One of a workflow is of another realm.
  if (!types.isNativeError(error)) return { message: text(error) };
  const { type, code, name } = error as Error & { type?: unknown; code?: unknown };
  const kind = [type, code, name].find((each) => typeof each === 'string');
  const withCause = stacks && error.cause !== undefined && depth < DEEPEST;
  return {
    ...defined({ type: kind === undefined ? undefined : text(kind) }),
    message: text(error.message),
    ...(stacks && { stack: text(error.stack) }),
    ...(withCause && { cause: describeError(error.cause, clean, stacks, depth + 1) }),
  };
}
