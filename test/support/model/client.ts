import { startTestModel, type TestModel } from './test-model.ts';

/** A folder that is not there. */
export const NO_SCRIPTS = 'no-scripts';

/** The tests' model without the scripts of the examples. */
export function startModel(): Promise<TestModel> {
  return startTestModel({ scriptsDir: NO_SCRIPTS });
}

interface Answered {
  status: number;
  type: string;
  headers: Headers;
  /** JSON where it is some, else text. */
  body: unknown;
}

export async function post(url: string, body: object, key?: string): Promise<Answered> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const { status, headers } = response;
  const type = headers.get('content-type') ?? '';
  return { status, type, headers, body: type.includes('json') ? JSON.parse(text) : text };
}

export const ECHO = { name: 'echo', description: 'Says it again', parameters: { type: 'object' } };

type Message = Record<string, unknown>;

interface AssistantMessage extends Message {
  tool_calls?: { id: string; function: object; extra_content?: object }[];
}

/** Messages that ask for chat completions, with the tool `echo`. */
export function chat(base: string, messages: Message[], more: object = {}, key?: string) {
  const tools = [{ type: 'function', function: ECHO }];
  const body = { model: 'some-model', messages, tools, ...more };
  return post(`${base}/chat/completions`, body, key);
}

export function choiceOf({ status, body }: Answered) {
  const { choices } = body as {
    choices: { message: AssistantMessage; finish_reason: string | null }[];
  };
  const [choice] = choices ?? [];
  if (!choice) throw new Error(`Status ${status}: ${JSON.stringify(body)}`);
  return choice;
}

export function messageOf(answered: Answered): AssistantMessage {
  return choiceOf(answered).message;
}

/** The results that answer a message's calls. */
export function results(message: AssistantMessage): Message[] {
  return (message.tool_calls ?? []).map(({ id }) => ({
    role: 'tool',
    tool_call_id: id,
    content: 'ok',
  }));
}

export type Item = Record<string, unknown> & { type: string };

/** Items that ask for a response, with the tool `echo`, statelessly. */
export function respond(base: string, input: string | Message[], more: object = {}, key?: string) {
  const tools = [{ type: 'function', ...ECHO, strict: false }];
  const include = ['reasoning.encrypted_content'];
  const body = { model: 'some-model', input, tools, store: false, include, ...more };
  return post(`${base}/responses`, body, key);
}

export function outputOf({ status, body }: Answered): Item[] {
  const { output } = body as { output?: Item[] };
  if (!output) throw new Error(`Status ${status}: ${JSON.stringify(body)}`);
  return output;
}

/** The outputs that answer a response's calls. */
export function outputs(items: readonly Item[]): Item[] {
  return items
    .filter((item) => item.type === 'function_call')
    .map((item) => ({ type: 'function_call_output', call_id: item['call_id'], output: 'ok' }));
}

/** A message that spells out what the model will say. */
export function script(...entries: object[]): { role: 'user'; content: string } {
  return { role: 'user', content: JSON.stringify({ script: entries }) };
}

/** A call of the tool that both offer. */
export function echo(text: string): { name: string; arguments: object } {
  return { name: 'echo', arguments: { text } };
}

/** A turn with a call that the asked endpoint never made, as a client rebuilds it. */
export function foreignTurn(id: string, more: Message = {}): Message[] {
  const call = { id, type: 'function', function: { name: 'echo', arguments: '{}' } };
  return [
    { role: 'assistant', content: null, tool_calls: [call], ...more },
    { role: 'tool', tool_call_id: id, content: 'ok' },
  ];
}
