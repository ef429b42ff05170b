import { QUESTION_WORDS } from '../../../contract/decision-words.ts';
import type { Caller } from '../../service/api-keys/port.ts';
import { distance, html, showLine, type Html } from '../html.ts';
import type { WaitingList, WaitingQuestion } from '../inbox.ts';
import { questionPath, ROOT, runPath } from '../paths.ts';
import { drawPage, notice } from './layout.ts';
import { nameQuestion } from './question.ts';

/** Questions on one page. */
export const QUESTIONS_SHOWN = 50;

export function drawInbox(
  caller: Caller,
  { questions, unseen, cut }: WaitingList,
  from: number,
  done: string | undefined,
): string {
  const shown = questions.slice(from, from + QUESTIONS_SHOWN);
  const rest = questions.length - from - shown.length;
  return drawPage({
    title: 'Inbox',
    caller,
    section: 'inbox',
    body: html`${done !== undefined && notice(done)}
      <div data-refresh="5">
        <p>${countOf(questions.length, cut)}</p>
        ${shown.length > 0 && drawTable(shown)}
        ${
          rest > 0 &&
          html`<p>
            <a href="${`${ROOT}/inbox?from=${from + QUESTIONS_SHOWN}`}"
              >${rest} more, asked later</a
            >
          </p>`
        }
        ${
          unseen > 0 &&
          html`<p>
            ${unseen} more ${unseen === 1 ? 'question is' : 'questions are'} shown by the runs
            themselves: one with many questions shows its first ones here.
          </p>`
        }
      </div>`,
  });
}

function countOf(count: number, cut: boolean): string {
  if (cut)
    return `More than ${count} questions wait. Those of the runs that started last are shown.`;
  if (count === 0) return 'Nothing waits for a person.';
  return count === 1 ? 'One question waits.' : `${count} questions wait, the oldest first.`;
}

function drawTable(shown: readonly WaitingQuestion[]): Html {
  return html`<div class="wide" tabindex="0" role="region" aria-label="Questions">
    <table>
      <thead>
        <tr>
          <th scope="col">Asked</th>
          <th scope="col">What</th>
          <th scope="col">Needs</th>
          <th scope="col">Agent</th>
          <th scope="col">Run</th>
          <th scope="col">Deadline</th>
        </tr>
      </thead>
      <tbody>
        ${shown.map(drawRow)}
      </tbody>
    </table>
  </div>`;
}

function drawRow({ run, question }: WaitingQuestion): Html {
  const { kind, step, askedAt, deadline } = question;
  return html`<tr>
    <td>${distance(askedAt)}</td>
    <td><a href="${questionPath(run.workflowId, step)}">${nameQuestion(question)}</a></td>
    <td><span class="${`pill ${kind}`}">${QUESTION_WORDS[kind].needs}</span></td>
    <td>${showLine(run.agent)}</td>
    <td>
      <a href="${runPath(run.workflowId)}">${showLine(run.key)}</a>
      ${run.shadow && html` <span class="pill">shadow</span>`}
    </td>
    <td>${distance(deadline)}</td>
  </tr>`;
}
