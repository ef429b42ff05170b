import { z } from 'zod';
import { sha256Hex } from '../../contract/hash.ts';
import { canonicalJson } from '../../contract/json.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import type { RegisteredTool } from '../../define/registry.ts';

const SUMMARY_LENGTH = 120;

type CheckedArguments = { parsed: unknown; summary: string } | { refusal: string };

/** Checks a call's arguments, whoever wrote them: whether its tool can take them, and why not. */
export async function checkArguments(
  { name, definition }: RegisteredTool,
  request: JsonValue,
): Promise<CheckedArguments> {
  // PostgreSQL's text has none, so the tool would fail, or a later one that gets it from there.
  if (hasNull(request)) {
    return { refusal: 'The arguments have a null character (\\u0000) in them. Leave it out.' };
  }
  const { input, summary } = definition;
  const read = await input.safeParseAsync(request).catch(() => undefined);
  if (!read) return { refusal: 'The arguments cannot be checked: the tool cannot read them.' };
  if (!read.success) {
    return {
      refusal: `The arguments do not fit the tool's schema.\n${z.prettifyError(read.error)}`,
    };
  }
  const said: unknown = orElse(() => summary?.(read.data), undefined);
  const line = (typeof said === 'string' ? said : name).replaceAll(/\s+/g, ' ').trim();
  return { parsed: read.data, summary: line.slice(0, SUMMARY_LENGTH).toWellFormed() };
}

/** What tells a call from another: its tool, and its arguments in their canonical form. */
export function callDigest(tool: string, request: JsonValue): string {
  return sha256Hex(canonicalJson({ tool, arguments: request }));
}

/** Code of a tool's definition that throws must not cost the model's answer, which is paid for. */
export function orElse<T>(ask: () => T, instead: T): T {
  try {
    return ask();
  } catch {
    return instead;
  }
}

/** Whether a null character stands in any text of a value, or in the name of a member. */
function hasNull(value: JsonValue): boolean {
  if (typeof value === 'string') return value.includes('\0');
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value)
    ? value.some(hasNull)
    : Object.entries(value).some(([name, member]) => name.includes('\0') || hasNull(member));
}
