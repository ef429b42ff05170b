import { hashConversation } from '../../../../src/extras/dev/scripted-model/calls.ts';
import type { Dialect } from '../../../../src/extras/dev/scripted-model/dialect.ts';
import { uniqueIds } from './issued.ts';
import { thoughtsOf } from './thinking.ts';

/** OpenRouter: thoughts as text and as details, both better sent back, neither required. */
export function openRouterDialect(): Dialect {
  return {
    callIds: uniqueIds,
    errorBody: ({ status, message, code }) => ({
      error: { message, code: status, metadata: { error_type: code } },
    }),
    dressChat({ choices: [{ message }] }, request, reply) {
      const text = thoughtsOf(request, reply);
      const id = `rs_${hashConversation(request).slice(0, 16)}`;
      const format = 'openai-responses-v1';
      message['reasoning'] = text;
      message['reasoning_details'] = [
        { type: 'reasoning.summary', summary: text, id, format, index: 0 },
        { type: 'reasoning.encrypted', data: btoa(`${id}`), id, format, index: 0 },
      ];
    },
  };
}
