import { parse } from 'yaml';
import { z } from 'zod';
import { interpolate, type Variables } from './interpolate.ts';

/** What is read of a service. What nobody here knows is an error: it would be left out unseen. */
const Service = z.strictObject({
  image: z.string(),
  build: z.string().optional(),
  user: z.string().optional(),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  depends_on: z
    .record(
      z.string(),
      z.strictObject({ condition: z.enum(['service_healthy', 'service_completed_successfully']) }),
    )
    .default({}),
  configs: z.array(z.strictObject({ source: z.string(), target: z.string() })).default([]),
  profiles: z.array(z.string()).optional(),
  restart: z.string().optional(),
  ports: z.array(z.string()).default([]),
  // Of the container itself, and of how Docker looks after it.
  healthcheck: z.unknown().optional(),
  volumes: z.unknown().optional(),
  init: z.unknown().optional(),
  read_only: z.unknown().optional(),
  tmpfs: z.unknown().optional(),
  cap_drop: z.unknown().optional(),
  security_opt: z.unknown().optional(),
  stop_grace_period: z.unknown().optional(),
});
const File = z.strictObject({
  name: z.string(),
  services: z.record(z.string(), Service),
  // Files are those of services with a profile.
  configs: z
    .record(
      z.string(),
      z.union([z.strictObject({ content: z.string() }), z.strictObject({ file: z.string() })]),
    )
    .default({}),
  volumes: z.unknown().optional(),
});

export type ComposeService = z.output<typeof Service>;

/** A Compose file with the variables in it, services in the order in which they start. */
export interface ComposeFile {
  services: ReadonlyMap<string, ComposeService>;
  configs: Readonly<Record<string, { content: string }>>;
}

/**
 * Reads a Compose file as Compose does. Services with a profile are left out.
 *
 * @throws {RangeError} a variable that is required has no value, services wait for each other, or
 *   something in it is not known here
 */
export function readCompose(text: string, variables: Variables): ComposeFile {
  const { success, data, error } = File.safeParse(
    withVariables(parse(text, { uniqueKeys: true, merge: true }), variables),
  );
  if (!success) {
    throw new RangeError(
      `The Compose file has something that is not known here:\n${z.prettifyError(error)}`,
      { cause: error },
    );
  }
  const { services, configs } = data;
  const plain = Object.entries(services).filter(([, { profiles }]) => profiles === undefined);
  const inline = Object.entries(configs).filter(([, config]) => 'content' in config);
  return {
    services: inOrder(new Map(plain)),
    configs: Object.fromEntries(inline) as ComposeFile['configs'],
  };
}

/** Values alone have variables; names do not. */
function withVariables(value: unknown, variables: Variables): unknown {
  if (typeof value === 'string') return interpolate(value, variables);
  if (Array.isArray(value)) return value.map((each) => withVariables(each, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, withVariables(each, variables)]),
  );
}

function inOrder(services: ReadonlyMap<string, ComposeService>): Map<string, ComposeService> {
  const ordered = new Map<string, ComposeService>();
  while (ordered.size < services.size) {
    const next = [...services].find(
      ([name, { depends_on }]) =>
        !ordered.has(name) && Object.keys(depends_on).every((needed) => ordered.has(needed)),
    );
    if (next === undefined) {
      const left = [...services.keys()].filter((name) => !ordered.has(name));
      throw new RangeError(
        `These services wait for each other, or for one that there is not: ${left.join(', ')}`,
      );
    }
    ordered.set(...next);
  }
  return ordered;
}
