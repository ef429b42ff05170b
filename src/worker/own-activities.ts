import { AgentOnceError } from '../contract/errors.ts';
import {
  CALL_MODEL,
  CLEAN_LEDGER,
  PASS_ON_CANCELLATION,
  RECORD_DECISION,
  RECORD_EDITED_APPROVAL,
  toolActivity,
} from '../contract/names.ts';

/** Activities of the app's own, by the names that its workflows call them. */
export type OwnActivities = Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;

/** `default` answers for tools that a worker does not know. */
const RESERVED = [
  CALL_MODEL,
  RECORD_DECISION,
  RECORD_EDITED_APPROVAL,
  PASS_ON_CANCELLATION,
  CLEAN_LEDGER,
  'default',
];
const ANY_TOOL = toolActivity('');

/**
 * The app's own activities, ready for a worker.
 *
 * @throws {AgentOnceError} `agent.invalid`: a name is one of the engine's
 */
export function prepareActivities(own: OwnActivities): OwnActivities {
  const taken = Object.keys(own).filter(
    (name) => RESERVED.includes(name) || name.startsWith(ANY_TOOL),
  );
  if (taken.length > 0) {
    throw new AgentOnceError(
      'agent.invalid',
      `The app's own activities may not be named ${taken.join(', ')}: the engine uses ${RESERVED.join(', ')} and every name that begins with "${ANY_TOOL}". Nothing was started. Give them other names.`,
    );
  }
  return Object.fromEntries(Object.entries(own).map(([name, run]) => [name, throwsText(run)]));
}

/**
 * Half of a surrogate pair in an error ends the worker, and each one that tries again: Temporal sends
 * errors as protobuf, which refuses it.
 */
function throwsText(activity: OwnActivities[string]): OwnActivities[string] {
  return async (...args) => {
    try {
      return await activity(...args);
    } catch (error) {
      const seen = new Set<unknown>();
      for (let each = error; each instanceof Error; each = each.cause) {
        seen.add(each);
        // Temporal follows causes to their end, and a circle has none.
        if (seen.has(each.cause)) each.cause = undefined;
        each.message = each.message.toWellFormed();
        if (each.stack !== undefined) each.stack = each.stack.toWellFormed();
      }
      throw error;
    }
  };
}
