import type { Caller } from '../../service/api-keys/port.ts';
import { html, showLines } from '../html.ts';
import { drawPage, notice } from './layout.ts';
import { backToInbox } from './question.ts';

/** What went wrong, to somebody who looks at the page. */
export function drawProblem(title: string, detail: string, caller: Caller | undefined): string {
  return drawPage({
    title,
    caller,
    body: html`<div>${notice(showLines(detail), 'problem')} ${backToInbox()}</div>`,
  });
}
