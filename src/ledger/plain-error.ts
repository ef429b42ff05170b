import { LIMITS } from '../contract/limits.ts';
import type { StepError } from './port.ts';

/**
 * A step's error as every backend can keep it as JSON: PostgreSQL refuses null characters and lone
 * surrogates, Lua the latter; a cut may leave one of those.
 */
export function plainError({ code, message }: StepError): StepError {
  return { code: plain(code), message: plain(message) };
}

function plain(text: string): string {
  return text.slice(0, LIMITS.errorBytes).replaceAll('\0', '').toWellFormed();
}
