import { QUESTION_WORDS } from '../../../contract/decision-words.ts';
import type { Caller } from '../../service/api-keys/port.ts';
import { distance, html, showLine, type Html } from '../html.ts';
import { questionPath, ROOT, runPath } from '../paths.ts';
import type { WaitingPage, WaitingQuestion } from '../waiting-page.ts';
import { drawPage, notice } from './layout.ts';
import { nameQuestion } from './question.ts';

export function drawInbox(caller: Caller, page: WaitingPage, done: string | undefined): string {
  const { questions, next, unseen } = page;
  return drawPage({
    title: 'Inbox',
    caller,
    section: 'inbox',
    body: html`${done !== undefined && notice(done)}
      <div data-refresh="5">
        <p>${countOf(page)}</p>
        ${questions.length > 0 && drawTable(questions)}
        ${
          next !== undefined &&
          html`<p>
            <a href="${`${ROOT}/inbox?from=${next}`}">Questions that were asked later</a>
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

function countOf({ count, isExact }: WaitingPage): string {
  if (!isExact) return `About ${count} questions wait, the oldest first.`;
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
    <td>${deadline === undefined ? 'see the run' : distance(deadline)}</td>
  </tr>`;
}
