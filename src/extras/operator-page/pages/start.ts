import type { Caller } from '../../service/api-keys/port.ts';
import { html } from '../html.ts';
import { ROOT } from '../paths.ts';
import { drawPage, notice } from './layout.ts';
import { options } from './select.ts';

/** What was typed, shown again where it cannot be used. */
export interface StartForm {
  agent: string;
  key: string;
  input: string;
  isJson: boolean;
  isShadow: boolean;
}

export function drawStart(
  caller: Caller,
  agents: readonly string[],
  { agent, key, input, isJson, isShadow }: StartForm,
  problem?: string,
): string {
  return drawPage({
    title: 'Start a run',
    caller,
    section: 'start',
    body: html`<div>
      ${problem !== undefined && notice(problem, 'problem')}
      <form class="card" method="post" action="${`${ROOT}/start`}">
        <label for="agent">Agent</label>
        <select id="agent" name="agent" required>
          ${options(agents, agent)}
        </select>
        <label for="input">Input</label>
        <textarea id="input" name="input" rows="6">${input}</textarea>
        <label class="check"
          ><input type="checkbox" name="json" value="yes" ${isJson && 'checked'} /> The input is
          JSON, not a text</label
        >
        <label for="key">Key</label>
        <input id="key" name="key" value="${key}" required maxlength="255" autocomplete="off" />
        <p class="hint">
          The key names the run. The same key and input, sent again, is the same run; this one was
          made for this form, so sending the form twice starts one run.
        </p>
        <label class="check"
          ><input type="checkbox" name="shadow" value="yes" ${isShadow && 'checked'} /> Shadow run:
          ask the model and read, and only record every other effect</label
        >
        <button class="primary">Start</button>
      </form>
    </div>`,
  });
}
