import type { ListFilter, RunSummary } from '../../../client/types.ts';
import { LISTED_STATUSES, type ListedStatus } from '../../../contract/run.ts';
import { drawCost, drawDuration } from '../../../cli/show-run.ts';
import type { Caller } from '../../service/api-keys/port.ts';
import { html, showLine, time, type Html } from '../html.ts';
import { ROOT, runPath } from '../paths.ts';
import { drawPage } from './layout.ts';
import { options } from './select.ts';

export function drawStatus(status: ListedStatus): Html {
  return html`<span class="${`pill ${status}`}">${status}</span>`;
}

/** What the form of the list offers. */
interface Choices {
  agents: readonly string[];
  /** Without search attributes no list has costs. */
  hasCosts: boolean;
}

/** What was asked for, as the form has it. */
type Asked = Pick<ListFilter, 'agent' | 'status'> &
  Partial<Record<'after' | 'before' | 'cost', string>>;

/** @param next the address of the next page */
export function drawRuns(
  caller: Caller,
  runs: readonly RunSummary[],
  filter: Asked,
  { agents, hasCosts }: Choices,
  next: string | undefined,
): string {
  return drawPage({
    title: 'Runs',
    caller,
    section: 'runs',
    body: html`<div>
      <form class="filter" method="get" action="${`${ROOT}/runs`}">
        <label>Agent ${select('agent', agents, filter.agent)}</label>
        <label>Status ${select('status', LISTED_STATUSES, filter.status)}</label>
        <label
          >Started after (UTC)
          <input type="datetime-local" name="after" value="${filter.after ?? ''}"
        /></label>
        <label
          >and before (UTC)
          <input type="datetime-local" name="before" value="${filter.before ?? ''}"
        /></label>
        ${
          hasCosts &&
          html`<label
            >Cost at least, in dollars
            <input type="number" name="cost" value="${filter.cost ?? ''}" min="0" step="any"
          /></label>`
        }
        <button>Show</button>
      </form>
      ${
        filter.cost !== undefined &&
        html`<p class="hint">
          A run's cost is listed once it has ended. Runs that go on, were terminated in Temporal or
          were forgotten are left out here.
        </p>`
      }
      ${runs.length === 0 ? html`<p>There are no such runs.</p>` : drawTable(runs)}
      ${next !== undefined && html`<p><a href="${next}">More runs</a></p>`}
    </div>`,
  });
}

function select(name: string, values: readonly string[], chosen: string | undefined): Html {
  return html`<select name="${name}">
    <option value="">any</option>
    ${options(values, chosen)}
  </select>`;
}

function drawTable(runs: readonly RunSummary[]): Html {
  return html`<div class="wide" tabindex="0" role="region" aria-label="Runs">
    <table>
      <thead>
        <tr>
          <th scope="col">Status</th>
          <th scope="col">Agent</th>
          <th scope="col">Run</th>
          <th scope="col">Started</th>
          <th scope="col">Time</th>
          <th scope="col">Cost</th>
          <th scope="col">Error</th>
        </tr>
      </thead>
      <tbody>
        ${runs.map(drawRow)}
      </tbody>
    </table>
  </div>`;
}

function drawRow(run: RunSummary): Html {
  const { status, agent, key, workflowId, startedAt, closedAt, error, shadow, costUsd } = run;
  const took = (closedAt === null ? Date.now() : Date.parse(closedAt)) - Date.parse(startedAt);
  return html`<tr>
    <td>${drawStatus(status)} ${shadow && html` <span class="pill">shadow</span>`}</td>
    <td>${showLine(agent)}</td>
    <td><a href="${runPath(workflowId)}">${showLine(key)}</a></td>
    <td>${time(startedAt)}</td>
    <td>${status === 'forgotten' ? '' : drawDuration(took)}</td>
    <td>${costUsd === null ? '' : drawCost(costUsd)}</td>
    <td>${error !== null && html`<code>${error}</code>`}</td>
  </tr>`;
}
