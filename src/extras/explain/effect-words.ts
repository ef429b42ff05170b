import { isShadow, type Effect } from '../../contract/step.ts';
import type { ExplainedStep } from './explanation.ts';

/** What the word for an effect means, to somebody who sees it for the first time. */
export const MEANS: Record<Effect, string> = {
  read: 'changes nothing, so it may run any number of times',
  keyed: 'every attempt sends the same token, and the receiver makes one effect of one token',
  transactional: 'what it writes and its record commit together, or neither does',
  reconcile: 'after a doubtful attempt the receiver is asked, before anything is sent again',
  'at-most-once': 'never sent again after a doubtful attempt: a person has to say what happened',
};

/** An effect of an at-most-once tool: nothing makes it send its token. */
const BY_TOKEN = 'by its token, if the tool sent it: ';

/** What became of an effect that was not recorded as done, by its class. */
const LEFT_OPEN: Record<Effect, (step: ExplainedStep) => string> = {
  read: () => 'none, it only reads',
  keyed: (step) =>
    `may have happened${anyOf(step)}; every attempt sent the token\n  ${step.token}\n` +
    'of which the receiver makes one: it can be looked up there; another attempt is safe',
  transactional: () => 'did not happen: it was rolled back; another attempt is safe',
  reconcile: (step) =>
    `may have happened${anyOf(step)}; the next attempt asks the receiver first, by\n  ${step.token}`,
  'at-most-once': ({ state, happened, token }) =>
    state === 'failed' && happened !== 'maybe'
      ? 'did not happen: the tool, or a person, said so; another attempt is safe'
      : `may have happened; it is not tried again until a person has looked it up\n  ${BY_TOKEN}${token}`,
};

/** Whether the effect of a step that is not done happened, in lines; none where that is no question. */
export function drawEffect(step: ExplainedStep): string[] {
  const { effect, state, leaseLeftMs } = step;
  const lapsed = state === 'claimed' && (leaseLeftMs ?? 0) <= 0;
  const open = lapsed || state === 'failed' || state === 'unknown';
  if (effect === null || !open) return [];
  if (isShadow(step.token)) return ['effect: none, a shadow run makes none'];
  return `effect: ${LEFT_OPEN[effect](step)}`.split('\n');
}

/** How a person finds an effect that may have happened, in lines. */
export function lookUp(what: string, token: string): string[] {
  return [
    `Look up ${what} where it would be seen, ${BY_TOKEN}${token}`,
    'Not finding it there proves nothing unless the token was sent.',
  ];
}

function anyOf({ attempts }: ExplainedStep): string {
  return attempts <= 1 ? '' : ` in any of its ${attempts} attempts`;
}
