import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { OTHER_NAMES } from './openapi-document.ts';
import { HttpProblem } from './problem.ts';
import { json } from './schemas.ts';

/** The media type of an event whose attributes stand in the body. */
export const STRUCTURED = 'application/cloudevents+json';

/** What names of attributes are made of. */
const ATTRIBUTE = /^(?:[a-z0-9]+|data_base64)$/;

const text = z.string().min(1);

/** An event (CloudEvents 1.0, JSON format). What is not declared here is an extension attribute. */
export const cloudEvent = z
  .object({
    specversion: z.literal('1.0'),
    id: text,
    source: text.meta({ description: 'Where it happened: with the ID it names the event' }),
    type: text,
    subject: text.nullish(),
    time: z.iso.datetime({ offset: true }).nullish(),
    datacontenttype: text.nullish(),
    dataschema: text.nullish(),
    data: json.nullish(),
    data_base64: z.base64().nullish().meta({ description: 'Data that is no JSON' }),
  })
  .catchall(json)
  .refine((event) => Object.keys(event).every((name) => ATTRIBUTE.test(name)), {
    message: 'Names of attributes have lower-case letters and digits alone.',
  })
  .meta({ [OTHER_NAMES]: ATTRIBUTE.source });
type CloudEvent = z.infer<typeof cloudEvent>;

/** The headers of an event whose attributes stand there, with its data as the body (binary mode). */
export const cloudEventHeaders = z.object({
  'ce-specversion': z.literal('1.0').optional(),
  'ce-id': text.optional(),
  'ce-source': text.optional(),
  'ce-type': text.optional(),
  'ce-subject': text.optional(),
  'ce-time': z.iso.datetime({ offset: true }).optional(),
  'ce-dataschema': text.optional(),
});

/**
 * Reads an event in either mode of the HTTP binding.
 *
 * @param body of structured mode: an event that has passed the schema
 * @throws {HttpProblem} `http.bad_request`
 */
export function readCloudEvent(
  { headers, rawHeaders }: Pick<IncomingMessage, 'headers' | 'rawHeaders'>,
  body: unknown,
): CloudEvent {
  if (mediaTypeOf(headers['content-type']) === STRUCTURED) return body as CloudEvent;
  const read = cloudEvent.safeParse({
    ...attributesIn(headers, rawHeaders),
    ...(body === undefined ? {} : { data: body }),
  });
  if (read.success) return read.data;
  throw new HttpProblem(
    'http.bad_request',
    'This is no CloudEvent: it needs specversion 1.0, id, source and type, as ce- headers or as application/cloudevents+json. Send one event in a request. Nothing was started.',
  );
}

function attributesIn(
  headers: IncomingMessage['headers'],
  rawHeaders: readonly string[],
): Record<string, string> {
  const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
  const twice = names.find((name, i) => name.startsWith('ce-') && names.indexOf(name) !== i);
  if (twice !== undefined) {
    // Node has joined them: what came out is no attribute that anybody sent.
    throw new HttpProblem(
      'http.bad_request',
      'A ce- header is there more than once: an event has each attribute once. Nothing was started.',
    );
  }
  const attributes: Record<string, string> = {};
  const type = headers['content-type'];
  if (typeof type === 'string') attributes['datacontenttype'] = type;
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith('ce-') || typeof value !== 'string') continue;
    attributes[name.slice('ce-'.length)] = decode(value);
  }
  return attributes;
}

/** Whatever is not printable ASCII is percent-encoded in a header. */
function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function mediaTypeOf(header: string | string[] | undefined): string | undefined {
  return [header].flat()[0]?.split(';')[0]?.trim().toLowerCase();
}
