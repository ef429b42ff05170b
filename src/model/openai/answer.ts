import { z } from 'zod';
import { ModelError, type ModelReply } from '../port.ts';
import { scrub } from './scrub.ts';

const count = z.number().int().nonnegative();

/** What we read of a chat completion; endpoints differ in everything else. */
const completion = z.object({
  model: z.string().min(1).nullish().catch(undefined),
  choices: z
    .array(
      z.object({
        message: z.object({
          content: z.string().nullish(),
          refusal: z.string().nullish(),
          tool_calls: z
            .array(
              z.object({
                id: z.string().nullish(),
                function: z.object({ name: z.string(), arguments: z.string().nullish() }),
              }),
            )
            .nullish(),
        }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
  // Unreadable numbers are unknown ones: the answer itself may be fine, and is paid for.
  usage: z.object({ prompt_tokens: count, completion_tokens: count }).nullish().catch(undefined),
});

/** Some gateways answer 200 and put the error into the body. */
const errorBody = z.object({
  error: z.union([z.string(), z.object({ message: z.string() }).transform((e) => e.message)]),
});

type Choice = z.output<typeof completion>['choices'][number];

/**
 * Reads what the endpoint answered with status 200, which can be anything: a proxy's page, `{}`.
 *
 * @param model the model that was asked for, where the answer names none
 * @throws {ModelError} `model.bad_answer`, retryable
 */
export function readAnswer(answer: unknown, model: string, apiKey: string | undefined): ModelReply {
  const parsed = completion.safeParse(answer);
  const choice = parsed.data?.choices[0];
  if (!choice) throw badAnswer(describe(answer, apiKey));

  const { message } = choice;
  const calls = (message.tool_calls ?? []).map((call) => ({
    id: call.id ?? '',
    name: call.function.name,
    arguments: call.function.arguments ?? '',
  }));
  const content = message.content ?? message.refusal ?? null;
  const finish = finishOf(choice);
  if (content === null && calls.length === 0 && (finish === 'stop' || finish === 'tool_calls')) {
    throw badAnswer('a message with neither text nor tool calls');
  }
  const usage = parsed.data?.usage;
  return {
    model: parsed.data?.model ?? model,
    content,
    calls,
    finish,
    usage: usage
      ? { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens }
      : null,
  };
}

function finishOf({ message, finish_reason }: Choice): ModelReply['finish'] {
  if (finish_reason === 'length' || finish_reason === 'content_filter') return finish_reason;
  if (message.tool_calls && message.tool_calls.length > 0) return 'tool_calls';
  // The model's own refusal arrives with the reason `stop`.
  if (typeof message.refusal === 'string' && message.refusal !== '') return 'content_filter';
  return finish_reason === 'stop' || finish_reason === 'tool_calls' ? 'stop' : 'other';
}

function describe(answer: unknown, apiKey: string | undefined): string {
  if (typeof answer === 'string') {
    return /^\s*</.test(answer) ? 'a web page' : 'text that is not JSON';
  }
  const error = errorBody.safeParse(answer);
  if (error.success) return `an error in its body: ${scrub(error.data.error, apiKey)}`;
  return 'JSON that is no chat completion';
}

function badAnswer(what: string): ModelError {
  return new ModelError(
    'model.bad_answer',
    `The model endpoint answered 200 with ${what}. If that stays so, check OPENAI_BASE_URL: it ends in /v1 as a rule.`,
    { retryable: true },
  );
}
