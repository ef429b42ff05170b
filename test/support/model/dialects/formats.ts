import { isObject } from '../../../../src/contract/json-value.ts';
import { invalid, type Problem } from '../../../../src/extras/dev/scripted-model/dialect.ts';

/** `response_format` of chat completions, and `text.format` of Responses. */
interface Format {
  type: string;
  name?: unknown;
  schema?: unknown;
  strict?: unknown;
}

/** The format that a request asks for, in the words of Responses; `undefined`: text. */
export function formatOf(request: Record<string, unknown>): Format | undefined {
  const { text, response_format: inChat } = request;
  const asked = inChat ?? (isObject(text) ? text['format'] : undefined);
  if (!isObject(asked) || asked['type'] === 'text') return undefined;
  const type = String(asked['type']);
  const inner = asked['json_schema'];
  return isObject(inner) ? { type, ...inner } : { ...asked, type };
}

/** What OpenAI refuses in a format: a name that is none, and schemas that strict mode does not take. */
export function refuseFormat(request: Record<string, unknown>): Problem | undefined {
  const format = formatOf(request);
  if (!format) return undefined;
  const param = 'response_format' in request ? 'response_format' : 'text.format';
  if (format.type === 'json_object') return refuseWithoutWord(request, param);
  if (format.type !== 'json_schema') {
    return invalid(`Invalid value: '${format.type}'.`, { param, code: 'invalid_value' });
  }
  if (typeof format.name !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(format.name)) {
    return invalid(`Missing required parameter: '${param}.name'.`, { param });
  }
  if (!isObject(format.schema) || format.schema['type'] !== 'object') {
    return invalid(`Invalid schema for response_format '${format.name}': it is no object.`, {
      param,
    });
  }
  const problem = format.strict === true ? brokenRule(format.schema, []) : undefined;
  return problem === undefined
    ? undefined
    : invalid(`Invalid schema for response_format '${format.name}': ${problem}`, {
        param,
        code: 'invalid_json_schema',
      });
}

/** Where it is asked for JSON without a schema, a message must say so. */
export function refuseWithoutWord(
  { messages, input, instructions }: Record<string, unknown>,
  param = 'response_format',
): Problem | undefined {
  if (/json/i.test(JSON.stringify([messages, input, instructions]))) return undefined;
  return invalid(
    `Prompt must contain the word 'json' in some form to use '${param}' of type 'json_object'.`,
    { param },
  );
}

const FORBIDDEN =
  /^(?:default|oneOf|allOf|not|if|then|else|patternProperties|propertyNames|prefixItems|minLength|maxLength|uniqueItems|contains|dependentRequired|dependentSchemas|contentEncoding)$/;
const FORMATS = ['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6'];

function brokenRule(schema: unknown, path: readonly string[]): string | undefined {
  const context = `In context=(${path.map((name) => `'${name}'`).join(', ')}), `;
  if (!isObject(schema)) return `${context}schema is no object.`;
  const { properties = {}, required, format, type, pattern } = schema;
  const forbidden = Object.keys(schema).find((name) => FORBIDDEN.test(name));
  if (forbidden !== undefined) return `${context}'${forbidden}' is not permitted.`;
  if (type === undefined && !('$ref' in schema) && !('anyOf' in schema)) {
    return `${context}schema must have a 'type' key.`;
  }
  if (typeof format === 'string' && ![...FORMATS, 'uuid'].includes(format)) {
    return `${context}'${format}' is not a valid format.`;
  }
  if (typeof pattern === 'string' && /\(\?<?[=!]/.test(pattern)) {
    return `${context}look-around is not supported in a pattern.`;
  }
  if (type === 'object') {
    if (schema['additionalProperties'] !== false) {
      return `${context}'additionalProperties' is required to be supplied and to be false.`;
    }
    const all = Object.keys(properties as object);
    const given = new Set(Array.isArray(required) ? required : []);
    const missing = all.find((name) => !given.has(name));
    if (!Array.isArray(required) || missing !== undefined) {
      return `${context}'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`;
    }
  }
  const inside = [
    ...Object.entries(properties as object).map(([name, each]) => ['properties', name, each]),
    ...Object.entries((schema['$defs'] as object | undefined) ?? {}).map(([name, each]) => [
      '$defs',
      name,
      each,
    ]),
    ...((schema['anyOf'] as unknown[] | undefined) ?? []).map((each, at) => [
      'anyOf',
      `${at}`,
      each,
    ]),
    ...('items' in schema ? [['items', '', schema['items']]] : []),
  ] as [string, string, unknown][];
  for (const [kind, name, each] of inside) {
    const problem = brokenRule(each, [...path, kind, ...(name === '' ? [] : [name])]);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
