/** Bodies of answers, as endpoints have them. */

/** A chat completion. */
export const completion = (
  message: object | undefined,
  finish_reason: string | null,
  more: object = {},
) => ({
  choices: [
    {
      index: 0,
      ...(message ? { message: { role: 'assistant', ...message } } : {}),
      finish_reason,
    },
  ],
  usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
  ...more,
});

/** A call in a chat completion. */
export const toolCall = (name: string, args?: unknown, id: string | null = 'c1') => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});

/** A response. */
export const response = (output: object[], more: object = {}) => ({
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  model: 'scripted',
  output,
  usage: { input_tokens: 7, output_tokens: 3, total_tokens: 10 },
  ...more,
});

export const said = (text: string, more: object = {}) => ({
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
  ...more,
});

export const thought = (encrypted_content: string) => ({
  type: 'reasoning',
  id: 'rs_1',
  summary: [],
  encrypted_content,
});

export const functionCall = (name: string, args: unknown, call_id = 'call_a') => ({
  type: 'function_call',
  id: 'fc_1',
  call_id,
  name,
  arguments: args,
  status: 'completed',
});
