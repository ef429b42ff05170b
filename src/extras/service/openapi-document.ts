/** As much of an OpenAPI document as is mended here. */
export interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown> };
}
interface Operation {
  operationId?: string;
  requestBody?: { required?: boolean };
  responses: Record<string, { headers?: Record<string, Header> }>;
}
interface Header {
  required?: boolean;
  description?: string;
  schema: { type?: string; always?: true; enum?: string[] };
}

/** Of a schema: a pattern of the names that members may have besides those that are declared. */
export const OTHER_NAMES = 'x-other-names';

/** Of whoever was authenticated: what is refused counts as well. */
const RATE_LIMIT: Record<string, Header> = {
  'X-RateLimit-Limit': {
    schema: { type: 'integer' },
    description: 'Requests a minute of the tenant',
  },
  'X-RateLimit-Remaining': { schema: { type: 'integer' }, description: 'Requests left of them' },
  'X-RateLimit-Reset': {
    schema: { type: 'integer' },
    description: 'Seconds until all are there again',
  },
};
const UNAUTHENTICATED = '401';
const NEVER_STORED: Header = { required: true, schema: { enum: ['no-store'] } };

/**
 * Says what the generator has no words for: which bodies may be left out, and which headers always
 * stand there. Schemas that nothing refers to are left out.
 */
export function finishDocument<T extends Document>(
  document: T,
  optionalBodies: ReadonlySet<string>,
): T {
  for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path))) {
    const { operationId = '', requestBody, responses } = operation;
    if (requestBody && optionalBodies.has(operationId)) requestBody.required = false;
    for (const [status, response] of Object.entries(responses)) {
      for (const header of Object.values(response.headers ?? {})) {
        const { always, ...schema } = header.schema;
        header.schema = schema;
        if (always) header.required = true;
      }
      response.headers = {
        ...response.headers,
        ...(status === UNAUTHENTICATED ? {} : structuredClone(RATE_LIMIT)),
        'Cache-Control': NEVER_STORED,
      };
    }
  }
  dropUnused(document);
  nameOthers(document);
  return document;
}

/** The generator turns `patternProperties` into members of any name. */
function nameOthers(schema: object): void {
  if (OTHER_NAMES in schema) {
    const pattern = schema[OTHER_NAMES];
    delete (schema as Partial<typeof schema>)[OTHER_NAMES];
    Object.assign(schema, {
      patternProperties: { [String(pattern)]: {} },
      additionalProperties: false,
    });
  }
  for (const part of Object.values(schema) as unknown[]) {
    if (typeof part === 'object' && part !== null) nameOthers(part);
  }
}

/** The generator makes each schema twice, for requests and for answers. */
function dropUnused({ paths, components: { schemas } }: Document): void {
  const used = new Set<string>();
  const find = (value: unknown): void => {
    for (const [, name = ''] of JSON.stringify(value).matchAll(
      /"#\/components\/schemas\/(\w+)"/g,
    )) {
      if (used.has(name)) continue;
      used.add(name);
      find(schemas[name] ?? {});
    }
  };
  find(paths);
  for (const name of Object.keys(schemas)) if (!used.has(name)) delete schemas[name];
}
