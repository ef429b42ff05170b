import { AsyncLocalStorage } from 'node:async_hooks';
import { context, trace, type Context } from '@opentelemetry/api';

/** What a request of the HTTP service belongs to. */
export const ofRequest = new AsyncLocalStorage<Context>();

/** What a command belongs to. */
let ofProcess: Context | undefined;

export function setOfProcess(command: Context): void {
  ofProcess = command;
}

/** What goes on here: the span that is open, the request, or the command. */
export function currentContext(): Context {
  const active = context.active();
  if (trace.getSpan(active)) return active;
  return ofRequest.getStore() ?? ofProcess ?? active;
}
