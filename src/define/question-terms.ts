import type { Deadline, QuestionTerms } from '../contract/decision.ts';
import { defined } from '../contract/defined.ts';
import type { ToolDefinition } from './define-tool.ts';
import { invalidDefinition } from './invalid-definition.ts';

const DAY_SECONDS = 24 * 60 * 60;
const HOUR_SECONDS = 60 * 60;
/** A year. Temporal's timers have no limit: what is longer is a mistake. */
const LONGEST_SECONDS = 365 * DAY_SECONDS;

const ANSWERS_FOR_NONE = ['fail', 'happened', 'did-not-happen'] as const;

/** Everything that people may be asked about calls of a tool. */
export type PossibleQuestions = Required<Pick<QuestionTerms, 'approval'>> &
  Pick<QuestionTerms, 'outcome'>;

/** When a call of a tool needs approval, and whether whoever approves may change its arguments. */
export function approvalOf({ approval }: Pick<ToolDefinition, 'approval'>): {
  when: 'always' | ((input: unknown) => boolean) | undefined;
  editable: boolean;
} {
  if (typeof approval !== 'object') return { when: approval, editable: false };
  const { when = 'always', editable = false } = approval;
  return { when, editable };
}

/**
 * The terms on which people are asked about a tool's calls.
 *
 * @param where which agent and tool, to begin an error's message with
 * @throws {AgentOnceError} `agent.invalid`
 */
export function questionTerms(where: string, tool: ToolDefinition): PossibleQuestions {
  const seconds = (name: string, value: number): number => {
    if (Number.isFinite(value) && value > 0 && value <= LONGEST_SECONDS) return value * 1_000;
    throw invalidDefinition(where, `${name} must be a number of seconds up to ${LONGEST_SECONDS}`);
  };
  const deadline = <Then extends Deadline['otherwise']>(
    name: string,
    given: { seconds: number; otherwise: Then } | undefined,
    answers: readonly Then[],
  ): Deadline => {
    const { seconds: wait, otherwise } = given ?? { seconds: DAY_SECONDS, otherwise: 'fail' };
    if (!answers.some((answer) => answer === otherwise)) {
      throw invalidDefinition(where, `${name}.otherwise must be one of ${answers.join(', ')}`);
    }
    return { ms: seconds(`${name}.seconds`, wait), otherwise };
  };

  const { approval, approvalDeadline, approvalValidSeconds = HOUR_SECONDS } = tool;
  const { when, editable } = approval === null ? { when: null } : approvalOf(tool);
  if (when !== undefined && when !== 'always' && typeof when !== 'function') {
    throw invalidDefinition(
      where,
      "approval must be 'always', a function of the arguments, or { when, editable } with one of them",
    );
  }
  if (typeof editable !== 'boolean') {
    throw invalidDefinition(where, 'approval.editable must be true or false');
  }
  return {
    approval: {
      ...deadline('approvalDeadline', approvalDeadline, ['fail', 'deny']),
      validMs: seconds('approvalValidSeconds', approvalValidSeconds),
    },
    ...defined({
      outcome:
        tool.effect === 'at-most-once'
          ? deadline('outcomeDeadline', tool.outcomeDeadline, ANSWERS_FOR_NONE)
          : undefined,
    }),
  };
}
