import type { DialectName } from '../../contract/dialects.ts';
import { isObject, type JsonObject, type JsonValue } from '../../contract/json-value.ts';
import type { ModelEndpoint, StructuredOutput } from '../../contract/model-endpoint.ts';
import type { ModelMessage, ModelRequest } from '../port.ts';

/** How an endpoint is told what an answer must be. */
export interface Structured {
  structured: StructuredOutput;
  structuredWithTools: boolean;
  /** Whether it may be asked to hold an answer to its schema where OpenAI would. */
  strict: boolean;
}

/** Those that take no schema, only that it is to be JSON. */
const JSON_ONLY: readonly DialectName[] = ['deepseek', 'kimi'];
/** Others refuse a format beside tools (Gemini, Groq), or call none then (vLLM, Ollama, llama.cpp). */
const WITH_TOOLS: readonly DialectName[] = ['openai', 'azure'];

export function structuredOf(options: ModelEndpoint, dialect: DialectName): Structured {
  return {
    structured: options.structured ?? (JSON_ONLY.includes(dialect) ? 'object' : 'schema'),
    structuredWithTools: options.structuredWithTools ?? WITH_TOOLS.includes(dialect),
    // Few of its models take that, and the others refuse it.
    strict: dialect !== 'groq',
  };
}

/** The format of an answer, in the words of Responses. */
export type Format =
  | { type: 'json_object' }
  | { type: 'json_schema'; name: string; schema: JsonObject; strict: boolean };

/** What a request says of what the final answer must be: by its format, in the system message, or both. */
export function askForOutput(
  { messages, tools, output }: ModelRequest,
  { structured, structuredWithTools, strict }: Structured,
): { messages: ModelMessage[]; format?: Format } {
  if (!output) return { messages };
  const { name, schema } = output;
  const how = tools.length > 0 && !structuredWithTools ? 'prompt' : structured;
  if (how === 'schema') {
    const held = strict ? strictForm(schema) : undefined;
    const format = { name, schema: held ?? schema, strict: held !== undefined };
    return { messages, format: { type: 'json_schema', ...format } };
  }
  const told = withWords(messages, wordsFor(schema));
  return how === 'prompt'
    ? { messages: told }
    : { messages: told, format: { type: 'json_object' } };
}

function wordsFor(schema: JsonObject): string {
  return `The final answer is one JSON object and nothing else: no words around it, no code fence. It must fit this JSON Schema:\n${JSON.stringify(schema)}`;
}

/** Some models take one system message only, and at the head only. */
function withWords([first, ...rest]: readonly ModelMessage[], words: string): ModelMessage[] {
  if (first?.role === 'system') {
    return [{ role: 'system', content: `${first.content}\n\n${words}` }, ...rest];
  }
  return [{ role: 'system', content: words }, ...(first ? [first] : []), ...rest];
}

/** What OpenAI documents for strict schemas; it refuses whatever else it meets in one. */
const STRICT_KEYWORDS = new Set(
  `type properties required additionalProperties items anyOf enum const title description $ref $defs
  pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minItems
  maxItems`.split(/\s+/),
);
const STRICT_FORMAT = /^(?:date-time|date|time|duration|email|hostname|ipv4|ipv6|uuid)$/;
/** In patterns, of which strict mode makes automata. */
const LOOK_AROUND = /\(\?<?[=!]/;

/**
 * The schema as strict mode takes it: each object has all its properties, and no others, which zod's
 * own reading allows and drops.
 *
 * @returns `undefined`: it cannot be held to so
 */
export function strictForm(schema: JsonValue | undefined): JsonObject | undefined {
  if (!isObject(schema)) return undefined;
  const { type, required = [], format, pattern, additionalProperties: more = false } = schema;
  if (!['type', 'anyOf', '$ref'].some((name) => name in schema)) return undefined;
  if (!Object.keys(schema).every((name) => STRICT_KEYWORDS.has(name))) return undefined;
  if (typeof format === 'string' && !STRICT_FORMAT.test(format)) return undefined;
  if (typeof pattern === 'string' && LOOK_AROUND.test(pattern)) return undefined;
  const form: JsonObject = { ...schema };
  if (type === 'object') {
    const names = Object.keys(schema['properties'] ?? {});
    if (more !== false || !Array.isArray(required)) return undefined;
    if (!names.every((name) => required.includes(name))) return undefined;
    Object.assign(form, { properties: {}, ...form, required, additionalProperties: false });
  }
  for (const name of ['properties', '$defs', 'anyOf', 'items']) {
    const inside = schema[name];
    if (inside === undefined) continue;
    const strict = name === 'items' ? strictForm(inside) : strictForms(inside);
    if (!strict) return undefined;
    form[name] = strict;
  }
  return form;
}

/** Schemas in a list, or by name. */
function strictForms(schemas: JsonValue): JsonValue | undefined {
  if (Array.isArray(schemas)) {
    const forms = schemas.map(strictForm);
    return forms.every((form) => form !== undefined) ? forms : undefined;
  }
  const forms = Object.entries(isObject(schemas) ? schemas : {}).map(
    ([name, each]) => [name, strictForm(each)] as const,
  );
  return forms.every(([, form]) => form !== undefined)
    ? (Object.fromEntries(forms) as JsonObject)
    : undefined;
}
