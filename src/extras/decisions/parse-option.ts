import { AgentOnceError } from '../../contract/errors.ts';
import { parseJson, type JsonValue } from '../../contract/json.ts';

/**
 * JSON that was typed as an option, or stands in its file.
 *
 * @throws {AgentOnceError} `decision.invalid`
 */
export function parseOption(option: string, text: string): JsonValue {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof AgentOnceError)) throw error;
    const why = error.message.replace(/^The input/, 'It');
    throw new AgentOnceError(
      'decision.invalid',
      `${option} takes JSON; a text is written '"like this"'. ${why} Nothing was decided.`,
    );
  }
}
