import { z } from 'zod';
import { isObject } from '../../contract/json-value.ts';
import { parseOrNothing, text } from './fields.ts';

/** Google has a status in words, OpenRouter a number as its code. */
const fields = z.object({
  message: z.unknown().optional(),
  code: z.union([z.string(), z.number()]).nullish().catch(undefined),
  type: text,
  status: text,
  detail: z.unknown().optional(),
});

export interface ErrorBody {
  /** Lower case; `''`: none. */
  code: string;
  type: string;
  message: string;
}

const NONE: ErrorBody = { code: '', type: '', message: '' };

/** What an endpoint says of an error, wherever its body has that. */
export function readErrorBody(body: string): ErrorBody {
  if (/^\s*</.test(body)) return { ...NONE, message: 'a web page' };
  const json = parseOrNothing(body);
  return json === undefined ? { ...NONE, message: body } : readError(json);
}

/** @param value `{error: …}`, `[{error: …}]` as Google has it, or the error itself */
export function readError(value: unknown): ErrorBody {
  const body = innermost(value);
  if (typeof body === 'string') return { ...NONE, message: body };
  if (typeof body !== 'object' || body === null) return NONE;
  const { message, code, type, status, detail } = fields.parse(body);
  return {
    code: String(code ?? '').toLowerCase(),
    type: (type ?? status ?? '').toLowerCase(),
    message: asText(message ?? detail),
  };
}

/** Gateways wrap the error of the endpoint behind them; more often than this it is nonsense. */
const DEEPEST = 5;

function innermost(value: unknown): unknown {
  let body = value;
  for (let depth = 0; depth < DEEPEST; depth += 1) {
    const inside: unknown = Array.isArray(body) ? body[0] : memberOf(body);
    if (inside === undefined) return body;
    body = inside;
  }
  return body;
}

function memberOf(body: unknown): unknown {
  if (!isObject(body)) return undefined;
  const { error, errors } = body;
  if (error !== undefined && error !== null && error !== false) return error;
  return Array.isArray(errors) && errors.length > 0 ? errors : undefined;
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value, withoutInput);
}

/** Validators show what they were given beside what is wrong with it. */
function withoutInput(name: string, value: unknown): unknown {
  return ['input', 'ctx', 'value', 'body'].includes(name) && typeof value !== 'boolean'
    ? undefined
    : value;
}
