import { DECISION_WORDS } from '../../../contract/decision-words.ts';
import { THE_DEADLINE } from '../../../contract/decision.ts';
import { parseWorkflowId } from '../../../contract/key.ts';
import type { StepState } from '../../../ledger/records.ts';
import type { DecidedQuestion } from '../../../ledger/reader.ts';
import type { Caller } from '../../service/api-keys/port.ts';
import { html, showLine, showLines, time, type Html, type Part } from '../html.ts';
import { ROOT, runPath } from '../paths.ts';
import { drawPage } from './layout.ts';

/** @param questions `undefined`: the ledger's backend has no list of them */
export function drawDecided(
  caller: Caller,
  questions: readonly DecidedQuestion[] | undefined,
  next: string | undefined,
): string {
  return drawPage({
    title: 'Decided',
    caller,
    section: 'decided',
    body: html`<div>
      ${drawBody(questions)}
      ${
        next !== undefined &&
        html`<p>
          <a href="${`${ROOT}/decided?before=${encodeURIComponent(next)}`}">Earlier decisions</a>
        </p>`
      }
    </div>`,
  });
}

function drawBody(questions: readonly DecidedQuestion[] | undefined): Part {
  if (questions === undefined) {
    return html`<p>
      The ledger of this service keeps no list of decisions: only one in PostgreSQL does. Each run's
      page has those of the run.
    </p>`;
  }
  if (questions.length === 0) return html`<p>Nothing was decided.</p>`;
  return html`<div class="wide" tabindex="0" role="region" aria-label="Decisions">
    <table>
      <thead>
        <tr>
          <th scope="col">Decided</th>
          <th scope="col">By</th>
          <th scope="col">Answer</th>
          <th scope="col">Call</th>
          <th scope="col">Why</th>
          <th scope="col">Since then</th>
        </tr>
      </thead>
      <tbody>
        ${questions.map(drawRow)}
      </tbody>
    </table>
  </div>`;
}

function drawRow(question: DecidedQuestion): Html {
  const { workflowId, step, name, state, decision, by, comment, decidedAt } = question;
  const run = parseWorkflowId(workflowId);
  const expired = by === THE_DEADLINE;
  const words = decision && DECISION_WORDS[decision];
  return html`<tr>
    <td>${decidedAt !== null && time(decidedAt)}</td>
    <td>
      ${expired ? html`<span class="pill cancelled">expired: nobody answered</span>` : showLine(by ?? 'somebody')}
    </td>
    <td>${words && (expired ? words.assumed : words.said)}</td>
    <td>
      <a href="${runPath(workflowId)}">${showLine(run ? `${run.agent} ${run.key}` : workflowId)}</a>
      <br /><code>${step}</code> ${showLine(name ?? '')}
    </td>
    <td>${comment !== null && showLines(comment)}</td>
    <td>${sinceThen(question, state)}</td>
  </tr>`;
}

const STATES: Record<StepState, string> = {
  planned: 'has not run yet',
  claimed: 'is running',
  completed: 'is done',
  failed: 'has failed',
  unknown: 'its outcome is unknown',
};

function sinceThen({ decision }: DecidedQuestion, state: StepState | null): string {
  if (state === null) return 'its record was removed';
  return decision === 'deny' && state !== 'failed' ? 'was not made' : STATES[state];
}
