import { invalid, type Problem } from '../../../../src/extras/dev/scripted-model/dialect.ts';

/** As OpenAI refuses a member that it does not know. */
export function refuseMembers(
  request: object,
  known: ReadonlySet<string>,
  where = '',
): Problem | undefined {
  const unknown = Object.keys(request).find((name) => !known.has(name));
  if (unknown === undefined) return undefined;
  const param = `${where}${unknown}`;
  return invalid(`Unknown parameter: '${param}'.`, { param, code: 'unknown_parameter' });
}

/** GPT-6 takes no other temperature than 1. */
export function refuseSampling(request: {
  model: string;
  temperature?: unknown;
}): Problem | undefined {
  const { model, temperature } = request;
  if (!isGpt6(model) || temperature === undefined || temperature === null || temperature === 1) {
    return undefined;
  }
  return invalid(
    `Unsupported value: 'temperature' does not support ${JSON.stringify(temperature)} with this model. Only the default (1) value is supported.`,
    { param: 'temperature', code: 'unsupported_value' },
  );
}

interface Tool {
  name: string;
  strict?: unknown;
  parameters?: unknown;
}

export function refuseTools(tools: readonly Tool[]): Problem | undefined {
  if (tools.length > 128) {
    return invalid(
      `Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length ${tools.length} instead.`,
      { param: 'tools', code: 'array_above_max_length' },
    );
  }
  for (const [index, { name, strict, parameters }] of tools.entries()) {
    const open = (parameters as { additionalProperties?: unknown } | null | undefined) ?? {};
    if (strict !== true || open.additionalProperties === false) continue;
    return invalid(
      `Invalid schema for function '${name}': In context=(), 'additionalProperties' is required to be supplied and to be false.`,
      { param: `tools[${index}]`, code: 'invalid_function_parameters' },
    );
  }
  return undefined;
}

export function isGpt6(model: string): boolean {
  return model.startsWith('gpt-6');
}
