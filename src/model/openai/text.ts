const OPEN = /^\s*<think(?:ing)?>/i;
const CLOSE = /<\/think(?:ing)?>/i;
/** On a line of its own, where the opening tag is in the prompt. */
const CLOSE_ALONE = /(?:^|\n)[ \t]*<\/think(?:ing)?>[ \t]*(?:\n|$)/i;

/** A text without the thinking that some endpoints leave before it. */
export function withoutThinking(text: string): string {
  const opened = OPEN.test(text);
  const close = (opened ? CLOSE : CLOSE_ALONE).exec(text);
  // Thinking that never ended is no answer.
  if (!close) return opened ? '' : text;
  // A tag inside the answer is somebody's subject, not somebody's thinking.
  if (!opened && /<think/i.test(text.slice(0, close.index))) return text;
  const rest = text.slice(close.index + close[0].length).trimStart();
  return OPEN.test(rest) ? withoutThinking(rest) : rest;
}

/** What models' own templates begin a call with, where nobody has parsed it. */
const MARKS =
  /<\|?tool_call(?:s_(?:begin|section_begin)|_begin)?\|?>|\[TOOL_CALLS\]|<function=|<function_call>|<｜tool▁calls?▁begin｜>|<\|python_tag\|>/;
const FENCED = /^```(?:json|tool_call|tool_code)?\s*([\s\S]*?)\s*```$/;

/** Whether a text is plainly a call of one of the tools that were offered, written as text. */
export function isCallAsText(text: string, tools: readonly string[]): boolean {
  if (tools.length === 0) return false;
  const trimmed = text.trim();
  if (MARKS.test(trimmed.slice(0, 40))) return true;
  const mark = MARKS.exec(trimmed);
  if (mark && tools.some((name) => trimmed.slice(mark.index).includes(name))) return true;
  return namesTool(parse(FENCED.exec(trimmed)?.[1] ?? trimmed), tools);
}

function namesTool(value: unknown, tools: readonly string[]): boolean {
  if (Array.isArray(value))
    return value.length > 0 && value.every((each) => namesTool(each, tools));
  if (typeof value !== 'object' || value === null) return false;
  const call = value as Record<string, unknown>;
  const given = ['arguments', 'parameters', 'args', 'input'].some((name) => name in call);
  const { function: nested } = call;
  if (typeof nested === 'object') return namesTool(nested, tools);
  const name = call['name'] ?? call['tool'] ?? call['tool_name'] ?? nested;
  return given && typeof name === 'string' && tools.includes(name);
}

function parse(text: string): unknown {
  if (!/^[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
