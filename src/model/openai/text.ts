import { isObject } from '../../contract/json-value.ts';
import { parseOrNothing } from './fields.ts';

const OPEN = /^\s*<think(?:ing)?>/i;
const CLOSE = /<\/think(?:ing)?>/i;
/** On a line of its own, where the opening tag is in the prompt. */
const CLOSE_ALONE = /(?:^|\n)[ \t]*<\/think(?:ing)?>[ \t]*(?:\n|$)/i;

/** A text without the thinking that some endpoints leave before it. */
export function withoutThinking(text: string): string {
  let rest = text;
  for (;;) {
    const opened = OPEN.test(rest);
    if (!opened && rest !== text) return rest;
    const close = (opened ? CLOSE : CLOSE_ALONE).exec(rest);
    // Thinking that never ended is no answer.
    if (!close) return opened ? '' : rest;
    // An answer that quotes both tags is about them.
    if (!opened && /<think/i.test(rest.slice(0, close.index))) return rest;
    rest = rest.slice(close.index + close[0].length).trimStart();
  }
}

/** What the templates of models begin a call with. */
const MARKS =
  /<\|?tool_call(?:s_(?:begin|section_begin)|_begin)?\|?>|\[TOOL_CALLS\]|<function=|<function_call>|<｜tool▁calls?▁begin｜>|<\|python_tag\|>/;
/** An answer that explains calls has more words around one than this. */
const LONGEST_LEAD = 300;

/** Whether a text is plainly a call of one of the tools that were offered, written as text. */
export function isCallAsText(text: string, tools: readonly string[]): boolean {
  const trimmed = text.trim();
  const mark = MARKS.exec(trimmed);
  if (mark && mark.index <= LONGEST_LEAD) {
    const call = trimmed.slice(mark.index + mark[0].length, mark.index + mark[0].length + 200);
    return tools.some((name) => startsWithName(call, name));
  }
  return namesTool(parseOrNothing(withoutFence(trimmed)), tools);
}

/** `{"name": "look", …`, `look>`, `look[ARGS]{…`, `functions.look:0`. */
function startsWithName(call: string, tool: string): boolean {
  const at = call.indexOf(tool);
  if (at < 0) return false;
  const before = call.slice(0, at);
  const after = call.slice(at + tool.length, at + tool.length + 1);
  // Between the mark and the name stands punctuation, and at most the word "name" or the like.
  return (
    /^[^A-Za-z]*(?:(?:name|type|functions?|tool)[^A-Za-z]*)*$/.test(before) && !/\w/.test(after)
  );
}

const FENCE = '```';

function withoutFence(text: string): string {
  if (!text.startsWith(FENCE) || !text.endsWith(FENCE) || text.length < 2 * FENCE.length)
    return text;
  const inside = text.slice(FENCE.length, -FENCE.length);
  return inside.replace(/^[a-z_]{0,20}\s/, '').trim();
}

function namesTool(value: unknown, tools: readonly string[]): boolean {
  const all: unknown[] = Array.isArray(value) ? value : [value];
  return all.length > 0 && all.every((each) => isNamedCall(each, tools));
}

function isNamedCall(value: unknown, tools: readonly string[]): boolean {
  if (!isObject(value)) return false;
  const call = isObject(value['function']) ? value['function'] : value;
  const name = call['name'] ?? call['tool'] ?? call['tool_name'] ?? call['function'];
  const given = ['arguments', 'parameters', 'args', 'input'].some((member) => member in call);
  return given && typeof name === 'string' && tools.includes(name);
}
