import { z } from 'zod';

const text = z.string().nullish().catch(undefined);

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
  try {
    return readError(JSON.parse(body));
  } catch {
    return { ...NONE, message: body };
  }
}

/** @param value `{error: …}`, `[{error: …}]` as Google has it, or the error itself */
export function readError(value: unknown): ErrorBody {
  const body: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof body === 'string') return { ...NONE, message: body };
  if (typeof body !== 'object' || body === null) return NONE;
  if ('error' in body) return readError(body.error);
  const { message, code, type, status, detail } = fields.parse(body);
  return {
    code: String(code ?? '').toLowerCase(),
    type: (type ?? status ?? '').toLowerCase(),
    message: asText(message ?? detail),
  };
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
