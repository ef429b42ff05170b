import { toolStep } from '../contract/step.ts';
import type { JsonValue } from '../contract/json-value.ts';
import type { StepRecord } from '../ledger/port.ts';

/**
 * What the ledger keeps of a model's answer is the activities' business, and may be of an older
 * version: only what is there, and of the right kind, is read.
 */
interface Answer {
  planned: { index: number; tool: string; summary: string }[];
  asked: number;
  refused: number;
  same: number;
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
  if (answer.asked === 0) return 'gave the final answer';
  const parts = [
    answer.planned.length > 0 && `asked for ${answer.planned.map(({ tool }) => tool).join(', ')}`,
    answer.same > 0 && `${count(answer.same, 'call')} the same as another of the turn`,
    answer.refused > 0 && `${count(answer.refused, 'call')} sent back to it as unusable`,
  ];
  return parts.filter((part) => part !== false).join('; ');
}

function readAnswer(result: JsonValue | null): Answer | undefined {
  const { calls, planned } = asObject(result);
  if (!Array.isArray(calls) || !Array.isArray(planned)) return undefined;
  return {
    planned: planned.flatMap((call) => {
      const { index, tool, summary } = asObject(call);
      if (typeof index !== 'number' || typeof tool !== 'string') return [];
      return [{ index, tool, summary: typeof summary === 'string' ? summary : tool }];
    }),
    asked: calls.length,
    refused: calls.filter((call) => asObject(call)['refusal'] !== undefined).length,
    same: calls.filter((call) => asObject(call)['sameAs'] !== undefined).length,
  };
}

function asObject(value: JsonValue | null): Record<string, JsonValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function count(value: number, what: string): string {
  return `${value} ${what}${value === 1 ? '' : 's'}`;
}
