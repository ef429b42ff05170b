import swagger, { type SwaggerTransform } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { finishDocument, type Document } from './openapi-document.ts';
import { PROBLEM_JSON } from '../idempotency/problem-details.ts';

/** Makes the OpenAPI document from the routes' schemas: `/openapi.json`, and `/docs` to browse it. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  const optionalBodies = new Set<string>();
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'agent-once',
        version: '1',
        description:
          'Starts runs of LLM agents, one per idempotency key, and tells what became of them. Every answer that is no success is a problem (RFC 9457) with a stable `code`.',
      },
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
      security: [{ apiKey: [] }],
    },
    transform: (route) => {
      const { operationId = '', body } = route.schema ?? {};
      if (isOptional(body)) optionalBodies.add(operationId);
      return describeRoute(route);
    },
    transformObject: (document) =>
      finishDocument(jsonSchemaTransformObject(document) as Document, optionalBodies),
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

/** Zod's schemas as JSON Schema, bodies and problems by their media types. */
const describeRoute: SwaggerTransform = (route) => {
  const { body, ...others } = route.schema ?? {};
  const byType = mediaTypesOf(body);
  const described = jsonSchemaTransform({ ...route, schema: byType ? others : route.schema });
  const schema = described.schema as Record<string, unknown>;
  if (byType) {
    const content = Object.entries(byType).map(([type, media]) => {
      const { schema: alone } = jsonSchemaTransform({ ...route, schema: { body: media.schema } });
      return [type, { schema: (alone as { body: unknown }).body }];
    });
    schema['body'] = { content: Object.fromEntries(content) as unknown };
  }
  for (const [status, answer] of Object.entries(schema['response'] ?? {})) {
    if (Number(status) < 400) continue;
    const { description, headers, ...problem } = answer as Record<string, unknown>;
    (schema['response'] as Record<string, unknown>)[status] = {
      description,
      headers,
      content: { [PROBLEM_JSON]: { schema: problem } },
    };
  }
  return { ...described, schema };
};

function mediaTypesOf(body: unknown): Record<string, { schema: unknown }> | undefined {
  if (typeof body !== 'object' || body === null || !('content' in body)) return undefined;
  return body.content as Record<string, { schema: unknown }>;
}

/** Whether a request may come without a body. */
function isOptional(body: unknown): boolean {
  const types = mediaTypesOf(body);
  if (types) return Object.values(types).some(({ schema }) => isOptional(schema));
  return body instanceof z.ZodType && body.safeParse(undefined).success;
}
