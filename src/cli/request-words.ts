import { optionWith } from '../contract/command-line.ts';
import { showDirection } from '../contract/plain-text.ts';
import type { SentRequest } from '../explain/explanation.ts';
import { INPUT_TO_FILL_IN } from './commands.ts';
import { printable } from './output.ts';

/** What is longer is not for a command line. */
const LONGEST = 2_000;
const FILE = 'request-input.json';

/** How a request is sent again: flags for `start`, and what to know or do before it. */
export interface RequestWords {
  input: string;
  before: string[];
}

/**
 * The flags that send the same request again, as far as it is known.
 *
 * @param explain the command that explains the run, with more options
 */
export function wordRequest(
  request: SentRequest | null,
  explain: (options: readonly string[]) => string,
): RequestWords {
  const { model, shadow } = request?.options ?? {};
  const flags = `${shadow ? '--shadow ' : ''}${model === undefined ? '' : `${optionWith('--model', model)} `}`;
  const input = request?.input;
  if (input === undefined) {
    return {
      input: `${flags}--input '${INPUT_TO_FILL_IN.same}'`,
      before: [
        `The input is not shown here; add --show-input to see it: ${explain(['--show-input'])}`,
      ],
    };
  }
  // A line break or an escape in a text must not reach the terminal.
  const plain = typeof input === 'string' && printable(input) === input;
  const word = plain ? input : escapeControls(JSON.stringify(input));
  if (word.length > LONGEST) {
    return {
      input: `${flags}--input-file ${FILE}`,
      before: [
        'The input is long; this writes it to a file:',
        `$ ${explain(['--show-input', '--json'])} | jq .request.input > ${FILE}`,
      ],
    };
  }
  return { input: `${flags}${optionWith(plain ? '--input' : '--input-json', word)}`, before: [] };
}

function escapeControls(json: string): string {
  return showDirection(
    json.replaceAll(
      /[\x7f-\x9f]/g,
      (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  );
}
