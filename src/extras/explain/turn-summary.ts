import { toolStep, type TokenParts } from '../../contract/step.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import type { StepRecord } from '../../ledger/port.ts';
import type { CallNotRun } from './explanation.ts';

/**
 * What the ledger keeps of a model's answer is the activities' business, and may be of an older
 * version: only what is there, and of the right kind, is read.
 */
interface Answer {
  planned: { index: number; tool: string; summary: string }[];
  asked: number;
  /** The answer did not fit the agent's output, and the model was told why. */
  repaired: boolean;
  notRun: CallNotRun[];
}

/** The one-line summaries of the calls that a model step asks for, by their steps' names. */
export function callSummaries(record: StepRecord): Map<string, string> {
  if (record.kind !== 'model') return new Map();
  const planned = readAnswer(record.result)?.planned ?? [];
  return new Map(planned.map((call) => [toolStep(record.turn, call.index), call.summary]));
}

/** A model's answer on one line, without a word of what it says. */
export function summariseAnswer(result: JsonValue | null): string | undefined {
  const answer = readAnswer(result);
  if (!answer) return undefined;
  const { planned, asked, repaired } = answer;
  if (repaired) return "gave an answer that did not fit the output's schema; asked once more";
  if (asked === 0) return 'gave the final answer';
  if (planned.length === 0) return `asked for ${asked} call${asked === 1 ? '' : 's'}, none usable`;
  return `asked for ${planned.map(({ tool }) => tool).join(', ')}`;
}

/** The run's name for the model that answered, where it is not the step's own. */
export function answeredBy({ kind, name: asked, result }: StepRecord): string | undefined {
  const { answeredBy: name } = kind === 'model' ? asObject(result) : {};
  return typeof name === 'string' && name !== asked ? name : undefined;
}

/** The calls of a model's answer that were not run, and why. */
export function callsNotRun({ kind, turn, result }: StepRecord): CallNotRun[] {
  return kind === 'model' ? (readAnswer(result, turn)?.notRun ?? []) : [];
}

/** The parts of the tokens that an answer used, as far as they were told. */
export function tokenParts(result: JsonValue | null): TokenParts {
  const { cachedInputTokens: cached, reasoningTokens: thinking } = asObject(
    asObject(result)['tokens'] ?? null,
  );
  return {
    ...(typeof cached === 'number' ? { cachedInputTokens: cached } : {}),
    ...(typeof thinking === 'number' ? { reasoningTokens: thinking } : {}),
  };
}

function readAnswer(result: JsonValue | null, turn = 0): Answer | undefined {
  const { calls, planned, repair } = asObject(result);
  if (!Array.isArray(calls) || !Array.isArray(planned)) return undefined;
  return {
    planned: planned.flatMap((call) => {
      const { index, tool, summary } = asObject(call);
      if (typeof index !== 'number' || typeof tool !== 'string') return [];
      return [{ index, tool, summary: typeof summary === 'string' ? summary : tool }];
    }),
    asked: calls.length,
    repaired: typeof repair === 'string',
    notRun: calls.flatMap((call): CallNotRun[] => {
      const { tool, sameAs, refusal } = asObject(call);
      // The model made this name up, perhaps.
      const name = typeof tool === 'string' ? tool.slice(0, 64) : '?';
      if (typeof sameAs === 'number' || typeof sameAs === 'string') {
        const step = typeof sameAs === 'number' ? toolStep(turn, sameAs) : sameAs;
        return [{ tool: name, sameAs: step, reason: null }];
      }
      return typeof refusal === 'string'
        ? [{ tool: name, sameAs: null, reason: firstSentence(refusal) }]
        : [];
    }),
  };
}

function asObject(value: JsonValue | null): Record<string, JsonValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

/** What comes after it may quote arguments. */
function firstSentence(text: string): string {
  return /^[^\n]*?\.(?=\s|$)/.exec(text)?.[0] ?? 'It cannot be used.';
}
