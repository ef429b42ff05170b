import { pieces } from './pieces.ts';
import type {
  ContentPart,
  MessageOutput,
  OutputItem,
} from '../../../src/extras/dev/scripted-model/responses/output.ts';
import type { ResponseBody } from '../../../src/extras/dev/scripted-model/responses/response.ts';

type Event = { type: string } & Record<string, unknown>;

/** A response as server-sent events: the items piece by piece, the whole response last. */
export function toResponseEvents(response: ResponseBody): string[] {
  const begun = { ...response, status: 'in_progress', output: [], usage: null };
  const events: Event[] = [
    { type: 'response.created', response: begun },
    { type: 'response.in_progress', response: begun },
    ...response.output.flatMap(itemEvents),
    { type: lastEvent(response.status), response },
  ];
  return events.map((event, index) => {
    const data = JSON.stringify({ ...event, sequence_number: index });
    return `event: ${event.type}\ndata: ${data}\n\n`;
  });
}

function lastEvent(status: string | null): string {
  return status === 'incomplete' || status === 'failed'
    ? `response.${status}`
    : 'response.completed';
}

function itemEvents(item: OutputItem, index: number): Event[] {
  const at = { output_index: index, item_id: item.id };
  const whole = { output_index: index, item };
  return [
    { type: 'response.output_item.added', output_index: index, item: emptied(item) },
    ...(item.type === 'message' ? messageEvents(item, at) : []),
    ...(item.type === 'function_call' && typeof item.arguments === 'string'
      ? argumentEvents(item.arguments, at)
      : []),
    { type: 'response.output_item.done', ...whole },
  ];
}

function emptied(item: OutputItem): object {
  if (item.type === 'message') return { ...item, status: 'in_progress', content: [] };
  if (item.type === 'function_call') return { ...item, status: 'in_progress', arguments: '' };
  return { ...item, summary: [] };
}

function messageEvents(item: MessageOutput, at: object): Event[] {
  return item.content.flatMap((part, content_index) => {
    const here = { ...at, content_index };
    return [
      { type: 'response.content_part.added', ...here, part: emptiedPart(part) },
      ...partEvents(part, here),
      { type: 'response.content_part.done', ...here, part },
    ];
  });
}

function emptiedPart(part: ContentPart): ContentPart {
  return part.type === 'refusal' ? { ...part, refusal: '' } : { ...part, text: '' };
}

function partEvents(part: ContentPart, here: object): Event[] {
  if (part.type === 'refusal') {
    return [
      { type: 'response.refusal.delta', ...here, delta: part.refusal },
      { type: 'response.refusal.done', ...here, refusal: part.refusal },
    ];
  }
  return [
    ...pieces(part.text).map((delta) => ({
      type: 'response.output_text.delta',
      ...here,
      delta,
      logprobs: [],
    })),
    { type: 'response.output_text.done', ...here, text: part.text, logprobs: [] },
  ];
}

function argumentEvents(text: string, at: object): Event[] {
  return [
    ...pieces(text).map((delta) => ({
      type: 'response.function_call_arguments.delta',
      ...at,
      delta,
    })),
    { type: 'response.function_call_arguments.done', ...at, arguments: text },
  ];
}
