import { DECISION_WORDS } from '../../../contract/decision-words.ts';
import { THE_DEADLINE } from '../../../contract/decision.ts';
import { parseWorkflowId } from '../../../contract/key.ts';
import type { StepState } from '../../../ledger/records.ts';
import type { Caller } from '../../service/api-keys/port.ts';
import { html, showLine, showLines, time, type Html, type Part } from '../html.ts';
import { ROOT, runPath } from '../paths.ts';
import type { DecidedQuestion } from '../question-lists.ts';
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
          <a href="${`${ROOT}/decided?before=${next}`}">Earlier decisions</a>
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
  const { workflowId, step, name, decision, by, comment, decidedAt } = question;
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
    <td>${sinceThen(question)}</td>
  </tr>`;
}

const STATES: Record<StepState, string> = {
  planned: 'has not run yet',
  claimed: 'is running',
  completed: 'is done',
  failed: 'has failed',
  unknown: 'its outcome is unknown',
};

/** What became of the call: a later answer about it may count, and not this one. */
export function sinceThen(question: Fate): string {
  const { kind, round, lastKind, lastRound, lastDecision } = question;
  const again = lastKind === kind && lastRound > round;
  if (again && lastDecision === null) return 'was asked about again: that waits for an answer';
  const fate = lastDecision === 'deny' ? sinceDenied(question) : stateOf(question);
  return again ? `was asked about again, and ${fate}` : fate;
}

type Fate = Pick<
  DecidedQuestion,
  | 'kind'
  | 'round'
  | 'state'
  | 'effect'
  | 'attempts'
  | 'knownBy'
  | 'lastKind'
  | 'lastRound'
  | 'lastDecision'
>;

function stateOf({ state }: Fate): string {
  return state === null ? 'its record was removed' : STATES[state];
}

/** A call is denied before it is made, or between two attempts: its approval had expired. */
function sinceDenied(question: Fate): string {
  const { state, attempts, effect, knownBy } = question;
  const isTold = state === 'completed' && knownBy === 'person';
  if (isTold || state === 'planned' || state === 'failed') {
    // What tells the model of it counts as an attempt.
    if ((attempts ?? 0) - (isTold ? 1 : 0) < 1) return 'was not made';
    return effect === 'keyed' || effect === 'reconcile'
      ? 'was not tried again; an earlier attempt may have been made'
      : 'was not tried again';
  }
  return stateOf(question);
}
