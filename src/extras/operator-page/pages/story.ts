import pc from 'picocolors';
import { DEFAULT_TENANT } from '../../../contract/key.ts';
import { drawCost, drawDuration, drawSpent, titleOf } from '../../../cli/show-run.ts';
import type { ExplainedStep } from '../../explain/explanation.ts';
import type { ActionKind } from '../../explain/next-actions.ts';
import { drawStep } from '../../explain/show-steps.ts';
import { drawState } from '../../explain/step-state.ts';
import type { Caller } from '../../service/api-keys/port.ts';
import type { ShownExplanation } from '../../service/operators-only.ts';
import { distance, html, json, line, lines, time, type Html, type Part } from '../html.ts';
import { ROOT, runPath } from '../paths.ts';
import { may } from '../session.ts';
import { drawPage, facts, notice } from './layout.ts';
import { drawStatus } from './runs.ts';

/**
 * A run's page: what happens is filled in again and again while the run goes on.
 *
 * @param shadowKey of the shadow run that the page can start: sent twice, its form starts one
 */
export function drawStory(
  caller: Caller,
  explanation: ShownExplanation,
  questions: readonly Html[],
  shadowKey: string,
  done: string | undefined,
): string {
  const { workflowId, agent, key } = explanation;
  return drawPage({
    title: `${agent} ${line(key)}`,
    caller,
    section: 'runs',
    body: html`<div data-live="${`${runPath(workflowId)}/live?key=${shadowKey}`}">
      ${done !== undefined && notice(done)}
      <div id="questions" data-part="questions">${questions}</div>
      <div id="story" data-part="story">${drawFacts(explanation)}</div>
      <div id="actions" data-part="actions">${drawActions(caller, explanation, shadowKey)}</div>
    </div>`,
  });
}

/** The parts of a story that change, as HTML, by the names under which the page has them. */
export function drawParts(
  caller: Caller,
  explanation: ShownExplanation,
  questions: readonly Html[],
  shadowKey: string,
): Record<string, string> {
  return {
    questions: questions.join(''),
    story: drawFacts(explanation).toString(),
    actions: drawActions(caller, explanation, shadowKey).toString(),
  };
}

function drawFacts(explanation: ShownExplanation): Html {
  const { status, tenant, startedAt, closedAt, error, result, usage, possiblyPaid } = explanation;
  const { executions, notes, ui, workflowId, request, scope, ledgerError } = explanation;
  const paid = possiblyPaid && possiblyPaid.calls > 0 ? possiblyPaid : undefined;
  return html`<div>
    ${facts([
      [
        'status',
        [
          drawStatus(status),
          scope.startsWith('shadow-') && html` <span class="pill">shadow</span>`,
        ],
      ],
      ['tenant', tenant !== DEFAULT_TENANT && tenant],
      ['workflow', html`<code>${line(workflowId)}</code>`],
      ['started', [time(startedAt), ' (', distance(startedAt), ')']],
      ['ended', closedAt !== null && [time(closedAt), ', took ', tookOf(startedAt, closedAt)]],
      ['cost', usage && drawSpent(usage)],
      [
        'possibly paid',
        paid &&
          `${paid.calls} model ${paid.calls === 1 ? 'call' : 'calls'} besides, ${drawCost(paid.costUsd)}`,
      ],
      ['executions', executions.length > 1 && String(executions.length)],
      ['error', error && html`<span class="bad">${lines(error.message)}</span> (${error.code})`],
      ['Temporal UI', ui !== null && html`<a href="${ui}">this run's events</a>`],
    ])}
    ${ledgerError && notice('The ledger cannot be read now: its steps are not shown.', 'problem')}
    ${notes.map((note) => notice(lines(note), 'problem'))}
    ${request?.input !== undefined && drawLong('Input', request.input)}
    ${result !== null && drawLong('Result', result)}
    <h2>What happened</h2>
    ${drawSteps(explanation)}
  </div>`;
}

function drawLong(title: string, value: unknown): Html {
  return html`<details open>
    <summary>${title}</summary>
    <pre tabindex="0">${json(value)}</pre>
  </details>`;
}

function drawSteps(explanation: ShownExplanation): Part {
  const { steps } = explanation;
  if (steps === null) return null;
  if (steps.length === 0) return html`<p>No step was begun yet.</p>`;
  const turns = [...new Set(steps.map(({ turn }) => turn))];
  return turns.map(
    (turn) =>
      html`<section>
        <h3>Turn ${turn}</h3>
        <ol class="steps">
          ${steps.filter((step) => step.turn === turn).map((step) => drawOne(step, explanation))}
        </ol>
      </section>`,
  );
}

const PLAIN = pc.createColors(false);

/** A step in the words of `explain`. */
function drawOne(step: ExplainedStep, story: ShownExplanation): Html {
  const { id, effect, durationMs, endedAt, token } = step;
  const [, ...more] = drawStep(PLAIN, step, story, false);
  return html`<li class="${`step ${step.state}`}" id="${`step-${id}`}">
    <p>
      <code>${id}</code> <strong>${line(titleOf(step))}</strong>
      ${effect !== null && html` <span class="pill">${effect}</span>`} ·
      ${drawState(PLAIN, step, story)} ${endedAt !== null && [' · ', time(endedAt)]}
      ${durationMs !== null && ` · ${drawDuration(durationMs)}`}
    </p>
    ${more.map((each) => html`<p class="more">${lines(each.trim())}</p>`)}
    <p class="more">token <code>${token}</code></p>
  </li>`;
}

interface Button {
  kind: ActionKind;
  path: string;
  label: string;
  scope: 'start' | 'admin';
  /** What the person must know before. */
  warns?: string;
}

const RUN_BUTTONS: readonly Button[] = [
  { kind: 'resume', path: 'resume', label: 'Resume', scope: 'start' },
  { kind: 'cancel', path: 'cancel', label: 'Cancel the run', scope: 'start' },
  {
    kind: 'forget',
    path: 'forget',
    label: 'Forget the run',
    scope: 'admin',
    warns: 'The key becomes new: the next start under it makes a new run, and every effect again.',
  },
];

function drawActions(caller: Caller, explanation: ShownExplanation, shadowKey: string): Html {
  const { next, workflowId, executions } = explanation;
  const execution = html`<input
    type="hidden"
    name="execution"
    value="${executions.at(-1)?.runId ?? ''}"
  />`;
  const kinds = new Set(next.map(({ kind }) => kind));
  const buttons = RUN_BUTTONS.filter(({ kind, scope }) => kinds.has(kind) && may(caller, scope));
  return html`<section aria-labelledby="next">
    <h2 id="next">Next</h2>
    ${kinds.has('start-worker') && notice('No worker is polling: start one, or nothing goes on.', 'problem')}
    ${kinds.has('nothing') && html`<p>Nothing is left to do.</p>`}
    <div class="buttons">
      ${buttons.map((button) => drawButton(workflowId, execution, button))}
      ${
        may(caller, 'start') &&
        html`<form method="post" action="${`${runPath(workflowId)}/shadow`}">
          ${execution}
          <input type="hidden" name="key" value="${shadowKey}" />
          <button>Start a shadow run of the same input</button>
        </form>`
      }
      <a href="${`${ROOT}/runs`}">All runs</a>
    </div>
  </section>`;
}

function drawButton(workflowId: string, execution: Html, { path, label, warns }: Button): Html {
  return html`<form method="post" action="${`${runPath(workflowId)}/${path}`}">
    ${execution}
    ${
      warns !== undefined &&
      html`<label class="check"
        ><input type="checkbox" name="sure" value="yes" required /> ${warns}</label
      >`
    }
    <button>${label}</button>
  </form>`;
}

function tookOf(from: string, to: string): string {
  return drawDuration(Date.parse(to) - Date.parse(from));
}
