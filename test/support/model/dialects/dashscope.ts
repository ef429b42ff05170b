import {
  invalid,
  openAiErrorBody,
  type Dialect,
} from '../../../../src/extras/dev/scripted-model/dialect.ts';
import { uniqueIds } from './issued.ts';
import { thoughtsOf } from './thinking.ts';

/** Alibaba's DashScope, with its models that think: they answer streams only. */
export function dashScopeDialect(): Dialect {
  return {
    callIds: uniqueIds,
    errorBody: openAiErrorBody,
    refuseChat: (request) =>
      request['stream'] === true
        ? undefined
        : invalid('This model only supports the stream mode: set `stream` to true.', {
            code: 'invalid_parameter_error',
          }),
    dressChat({ choices: [{ message }] }, request, reply) {
      message.reasoning_content = thoughtsOf(request, reply);
    },
  };
}
