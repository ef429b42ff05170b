import { formatOf } from './formats.ts';
import { uniqueIds } from './issued.ts';
import {
  invalid,
  openAiErrorBody,
  type Dialect,
} from '../../../../src/extras/dev/scripted-model/dialect.ts';

const MESSAGE = new Set(
  `role content name refusal tool_calls tool_call_id function_call reasoning`.split(' '),
);

/** Groq: no message member that it does not know. */
export function groqDialect(): Dialect {
  return {
    callIds: uniqueIds,
    errorBody: openAiErrorBody,
    refuseChat(request) {
      const { messages, tools } = request;
      if (formatOf(request) && (tools ?? []).length > 0) {
        return invalid('json mode cannot be combined with tool/function calling');
      }
      for (const [index, message] of messages.entries()) {
        const unknown = Object.keys(message).find((name) => !MESSAGE.has(name));
        if (unknown === undefined) continue;
        const at = `'messages.${index}'`;
        return invalid(
          `${at} : for 'role:${message.role}' the following must be satisfied[(${at} : property '${unknown}' is unsupported)]`,
        );
      }
      return undefined;
    },
  };
}
