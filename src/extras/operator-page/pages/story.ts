import { DEFAULT_TENANT } from '../../../contract/key.ts';
import { isShadow } from '../../../contract/step.ts';
import { drawDuration } from '../../../cli/show-run.ts';
import { drawError, drawStop } from '../../explain/show-executions.ts';
import { drawBefore, drawSums, drawWhere } from '../../explain/show-explanation.ts';
import type { ShownExplanation } from '../../service/operators-only.ts';
import { distance, html, showJson, showLine, showLines, time, type Html } from '../html.ts';
import { runPath } from '../paths.ts';
import { drawActions } from './actions.ts';
import { drawEarlierRuns, drawExecutionList } from './executions.ts';
import { drawPage, facts, notice } from './layout.ts';
import { drawNow } from './now.ts';
import { drawStatus } from './runs.ts';
import { drawSteps } from './steps.ts';
import type { ShownStory } from './shown-story.ts';

/** A run's page: its parts are filled in again and again while the run goes on. */
export function drawStory(story: ShownStory, done: string | undefined): string {
  const { caller, explanation, shadowKey } = story;
  const { workflowId, agent, key } = explanation;
  const parts = drawSections(story);
  return drawPage({
    title: `${agent} ${showLine(key)}`,
    caller,
    section: 'runs',
    body: html`<div data-live="${`${runPath(workflowId)}/live?key=${shadowKey}`}">
      ${done !== undefined && notice(done)}
      <div id="questions" data-part="questions">${parts.questions}</div>
      <div id="story" data-part="story">${parts.story}</div>
      <div id="actions" data-part="actions">${parts.actions}</div>
    </div>`,
  });
}

/** The parts of a story that change, as HTML, by the names under which the page has them. */
export function drawParts(story: ShownStory): Record<string, string> {
  const { questions, story: told, actions } = drawSections(story);
  return { questions: questions.join(''), story: told.toString(), actions: actions.toString() };
}

function drawSections(story: ShownStory) {
  const { questions, explanation } = story;
  return { questions, story: drawWhole(explanation), actions: drawActions(story) };
}

function drawWhole(explanation: ShownExplanation): Html {
  const { notes, request, result, ledgerError } = explanation;
  return html`<div>
    ${drawHead(explanation)}
    ${ledgerError && notice('The ledger cannot be read now: its steps are not shown.', 'problem')}
    ${notes.map((note) => notice(showLines(note), 'problem'))}
    ${request?.input !== undefined && drawLong('Input', request.input)}
    ${result !== null && drawLong('Result', result)} ${drawNow(explanation)}
    ${drawExecutionList(explanation)} ${drawEarlierRuns(explanation)}
    <h2>What happened</h2>
    ${drawSteps(explanation)}
    <p class="hint">
      Times inside sentences are in the service's time zone,
      ${Intl.DateTimeFormat().resolvedOptions().timeZone}; all others are in yours.
    </p>
  </div>`;
}

function drawHead(explanation: ShownExplanation): Html {
  const { status, tenant, startedAt, closedAt, error, ui, workflowId, scope } = explanation;
  const { executions } = explanation;
  const last = executions.at(-1);
  return facts([
    ['status', [drawStatus(status), drawBefore(explanation)]],
    [
      'shadow',
      isShadow(scope) && [
        html`<span class="pill">shadow</span>`,
        ' effects are recorded, not executed',
      ],
    ],
    ['tenant', tenant !== DEFAULT_TENANT && tenant],
    ['workflow', html`<code>${showLine(workflowId)}</code>`],
    ['started', [time(startedAt), ' (', distance(startedAt), ')']],
    ['ended', closedAt !== null && [time(closedAt), ', took ', tookOf(startedAt, closedAt)]],
    ['stopped', last?.stopped && drawStop(last)],
    [
      'error',
      error && [
        html`<span class="bad">${showLines(drawError(error))}</span>`,
        showLine(drawWhere(explanation)),
      ],
    ],
    ...drawSums(explanation).map(
      ([name, sum]) => [name, sum === null ? null : showLines(sum)] as const,
    ),
    ['Temporal UI', ui !== null && html`<a href="${ui}">this run's events</a>`],
  ]);
}

function drawLong(title: string, value: unknown): Html {
  return html`<details open id="${title.toLowerCase()}">
    <summary>${title}</summary>
    <pre tabindex="0">${showJson(value)}</pre>
  </details>`;
}

function tookOf(from: string, to: string): string {
  return drawDuration(Date.parse(to) - Date.parse(from));
}
