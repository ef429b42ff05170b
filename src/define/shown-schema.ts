import { z } from 'zod';
import type { JsonObject } from '../contract/json.ts';
import { invalidDefinition } from './invalid-definition.ts';

/**
 * The JSON Schema that the model is shown for a tool's arguments or an agent's output: what the schema
 * takes, before defaults and transformations.
 *
 * @param where which tool or agent it is, for the message
 * @throws {AgentOnceError} `agent.invalid`
 */
export function shownSchema(
  where: string,
  member: 'input' | 'output',
  input: z.ZodType,
): JsonObject {
  if (!(input instanceof z.core.$ZodType)) {
    throw invalidDefinition(
      where,
      `${member} is no zod schema; use z.object({ … }) of the project's zod 4`,
    );
  }
  const schema = toJsonSchema(input);
  if (schema === undefined) {
    throw invalidDefinition(
      where,
      `${member}${culprit(input)} has a type that JSON does not have, such as a date, a bigint, a map or a custom type. Take it as text, as in z.iso.datetime(), and convert it ${member === 'input' ? 'inside the tool' : 'where the result is used'}`,
    );
  }
  if (schema['type'] !== 'object') {
    throw invalidDefinition(
      where,
      `${member} must be an object at the top, z.object({ … }): models name ${member === 'input' ? 'their arguments' : 'what they answer'}`,
    );
  }
  delete schema['$schema'];
  return schema;
}

function toJsonSchema(schema: z.core.$ZodType): JsonObject | undefined {
  try {
    // Through text, since zod's own object carries more than JSON.
    return JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io: 'input' }))) as JsonObject;
  } catch {
    return undefined;
  }
}

/** Which members of an object schema cannot be shown: zod's error does not say. */
function culprit(input: z.core.$ZodType): string {
  if (!(input instanceof z.ZodObject)) return '';
  const members = Object.entries(input.shape as Record<string, z.core.$ZodType>);
  const bad = members.filter(([, member]) => !toJsonSchema(member)).map(([name]) => `.${name}`);
  return bad.join(', ');
}
