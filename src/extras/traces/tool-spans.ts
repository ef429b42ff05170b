import { context } from '@opentelemetry/api';
import type { ToolContext, ToolDefinition } from '../../define/define-tool.ts';
import type { RegisteredTool } from '../../define/registry.ts';
import { OWN } from './attributes.ts';
import { GEN_AI, OPERATION } from './gen-ai.ts';
import { inSpan, traceHeaders } from './in-span.ts';
import { attributesOfStep } from './step-spans.ts';

type Code = (input: unknown, ctx: ToolContext) => Promise<unknown>;

/** The same tool, whose code has a span, and gets the trace among the headers that it sends. */
export function withToolSpans(tool: RegisteredTool): RegisteredTool {
  const { definition, name, effect } = tool;
  const traced =
    (spanName: string, code: Code): Code =>
    (input, ctx) => {
      const active = context.active();
      const step = attributesOfStep(active);
      const attributes = {
        ...step,
        [GEN_AI.operation]: OPERATION.tool,
        [GEN_AI.toolName]: name,
        [GEN_AI.toolType]: 'function',
        ...(typeof step[OWN.step] === 'string' ? { [GEN_AI.toolCallId]: step[OWN.step] } : {}),
        [OWN.effect]: effect,
      };
      return inSpan(spanName, { attributes }, active, (_span, own) =>
        code(input, { ...ctx, headers: { ...ctx.headers, ...traceHeaders(own) } }),
      );
    };
  const run = traced(`${OPERATION.tool} ${name}`, (...call) => (definition.run as Code)(...call));
  const found =
    'find' in definition &&
    traced(`find ${name}`, (...call) => definition.find(...call) as Promise<unknown>);
  return {
    ...tool,
    definition: { ...definition, run, ...(found ? { find: found } : {}) } as ToolDefinition,
  };
}
