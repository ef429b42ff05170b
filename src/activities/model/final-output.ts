import { z } from 'zod';
import { AgentOnceError } from '../../contract/errors.ts';
import { assertJson, parseJson, utf8Bytes } from '../../contract/json.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import { LIMITS } from '../../contract/limits.ts';
import { cutToBytes } from '../../contract/text-bytes.ts';
import type { RegisteredAgent } from '../../define/registry.ts';
import type { EarlierStep } from '../../ledger/port.ts';
import { ModelError, type ModelReply } from '../../model/port.ts';
import { describeThrown } from '../step/step-code.ts';
import { asTurnRecord, type TurnRecord } from './turn-record.ts';

/**
 * What a turn's record says of a final answer where the agent has an `output`: what the schema made of
 * it; or, once in a run, what the model is told is wrong with it. Nothing of an answer with calls.
 *
 * @param earlier the scope's steps of the turns before this one
 * @throws {ModelError} `output.invalid`, `output.too_large`
 */
export async function finalOutput(
  { definition: { output: schema } }: RegisteredAgent,
  { calls, content }: Pick<ModelReply, 'calls' | 'content'>,
  earlier: readonly EarlierStep[],
): Promise<Pick<TurnRecord, 'output' | 'repair'>> {
  if (!schema || calls.length > 0) return {};
  const read = await readOutput(schema, content ?? '');
  if ('output' in read) return read;
  const wrong = cutToBytes(read.wrong, LIMITS.previewBytes);
  const isRepaired = earlier.some(
    ({ step, result }) =>
      step.endsWith('.model') && result !== null && asTurnRecord(result).repair !== undefined,
  );
  if (isRepaired) {
    throw invalid(
      `The final answer does not fit the agent's output, nor did the one before it, of which the model had been told what is wrong: ${wrong} The earlier turns are kept. Resume the run to ask for this one again, or change the output or the instructions.`,
    );
  }
  return {
    repair: `This answer does not fit the JSON Schema of the output. ${wrong} Answer again, with one JSON object that fits it and nothing else.`,
  };
}

type Read = { output: JsonValue } | { wrong: string };

async function readOutput(schema: z.ZodType, content: string): Promise<Read> {
  let answer: JsonValue;
  try {
    answer = jsonIn(content);
  } catch (error) {
    if (!(error instanceof AgentOnceError)) throw error;
    const why = error.message.replace('The input', 'The answer');
    return { wrong: `It is not one JSON object. ${why}` };
  }
  const parsed = await schema.safeParseAsync(answer).catch((error: unknown) => {
    throw invalid(`The agent's output cannot check the answer: ${describeThrown(error)}`);
  });
  if (!parsed.success) return { wrong: parsed.error.issues.map(tellIssue).join(' ') };
  const output: unknown = parsed.data;
  try {
    assertJson(output);
  } catch (error) {
    throw invalid(
      `What the agent's output makes of the answer is not JSON, which a result must be. ${error instanceof Error ? error.message : ''} Convert it where the result is used.`,
    );
  }
  if (utf8Bytes(JSON.stringify(output)) > LIMITS.outputBytes) {
    const message = "What the agent's output makes of the answer is over 1 MiB of JSON.";
    throw new ModelError('output.too_large', message, { retryable: false });
  }
  return { output };
}

/**
 * The JSON that an answer is, or the one object that stands in it, fenced or among words.
 *
 * @throws {AgentOnceError} it is none, or not certainly one
 */
function jsonIn(text: string): JsonValue {
  try {
    return parseJson(text);
  } catch (error) {
    const [begin, end] = [text.indexOf('{'), text.lastIndexOf('}') + 1];
    const isInList = /\[\s*$/.test(text.slice(0, begin)) || /^\s*[,\]]/.test(text.slice(end));
    if (begin < 0 || begin >= end || isInList) throw error;
    // Two objects, or words with braces of their own, are no JSON together.
    return parseJson(text.slice(begin, end));
  }
}

function tellIssue({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? `${message}.` : `At ${z.core.toDotPath(path)}: ${message}.`;
}

function invalid(message: string): ModelError {
  return new ModelError('output.invalid', message, { retryable: false });
}
