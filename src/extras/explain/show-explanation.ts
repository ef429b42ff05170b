import type { Explanation, PublicExplanation } from './explanation.ts';
import { DEFAULT_TENANT } from '../../contract/key.ts';
import { isShadow } from '../../contract/step.ts';
import { nextSteps } from './next-words.ts';
import type { coloursOf } from '../../cli/output.ts';
import { printable } from '../../cli/output.ts';
import { drawPrice, drawTwice } from './show-balance.ts';
import { drawEarlier, drawError, drawExecutions, drawStop } from './show-executions.ts';
import { drawLive } from './show-live.ts';
import { drawAllWaiting, drawDuration, drawStatus, drawTime, labelOf } from '../../cli/show-run.ts';
import { drawTurns } from './show-steps.ts';
import { drawUnsure, drawWork } from './show-work.ts';

type Colours = ReturnType<typeof coloursOf>;

const LONGEST = 120;

/** Under a row's value. */
const INDENT = ' '.repeat(12);

/** What happened under a key, as a story that is read from top to bottom. */
export function drawExplanation(colours: Colours, explanation: Explanation): string {
  const { steps, notes, live, namespace } = explanation;
  const next = namespace === 'default' ? 'Next' : `Next (commands for namespace ${namespace})`;
  const sections: [title: string, lines: string[]][] = [
    ['Executions', drawExecutions(colours, explanation).flat()],
    ['Earlier runs under this key (their steps: --json)', drawEarlier(explanation).flat()],
    ['Now', live ? [...drawLive(live), ...drawAllWaiting(explanation).map(drawAsked)] : []],
    ['Steps', steps ? drawTurns(colours, steps, explanation) : ['not known without the ledger']],
    ['Worth knowing', notes.flatMap((note) => drawItem(printable(note).replaceAll('. ', '.\n')))],
    [next, nextSteps(explanation).flatMap(drawItem)],
  ];
  return [
    ...drawHead(colours, explanation),
    ...sections
      .filter(([, lines]) => lines.length > 0)
      .flatMap(([title, lines]) => ['', colours.bold(title), ...lines.map((line) => `  ${line}`)]),
  ].join('\n');
}

function drawAsked(what: string): string {
  return `waits for ${what}`;
}

/** An item of a list, of one or more lines. */
function drawItem(text: string): string[] {
  return text.split('\n').map((line, at) => `${at === 0 ? '-' : ' '} ${line}`);
}

function drawHead(colours: Colours, explanation: Explanation): string[] {
  const { status, agent, key, tenant, error, workflowId, namespace, ui } = explanation;
  const rows: [string, string | null][] = [
    ['tenant', tenant === DEFAULT_TENANT ? null : tenant],
    ['time', drawSpan(explanation)],
    ['shadow', isShadow(explanation.scope) ? 'effects are recorded, not executed' : null],
    ['input', drawInput(explanation)],
    [
      'error',
      error && status !== 'cancelled'
        ? inLines(`${drawError(error)}${drawWhere(explanation)}`)
        : null,
    ],
    ...drawSums(explanation),
    ['workflow', `${workflowId}${namespace === 'default' ? '' : ` in namespace ${namespace}`}`],
    ['ui', ui],
  ];
  return [
    `${drawStatus(colours, status)}  agent ${colours.bold(agent)}, key "${printable(key)}"${drawBefore(explanation)}`,
    ...rows
      .filter((row): row is [string, string] => row[1] !== null)
      .map(([name, value]) => `  ${colours.dim(name.padEnd(9))} ${value}`),
  ];
}

/** What all of it comes to, in rows. */
export function drawSums(explanation: PublicExplanation): [name: string, sum: string | null][] {
  return [
    ['done', drawWork(explanation)],
    ['cost', drawPrice(explanation)],
    ['twice', drawTwice(explanation)],
    ['unsure', drawUnsure(explanation)],
    ['key', drawKey(explanation)],
  ];
}

/** What is too long for a line, a sentence a line. */
function inLines(text: string): string {
  return text.length <= LONGEST ? text : text.replaceAll(/\. (?=[A-Z])/g, `.\n${INDENT}`);
}

/** The step that ended the run. */
export function drawWhere({ error, steps }: PublicExplanation): string {
  const step = steps?.findLast(
    ({ state, errors }) => state === 'failed' && errors.at(-1)?.message === error?.message,
  );
  if (!step) return '';
  const { attempts } = step;
  return `, in ${printable(labelOf(step))}${attempts > 1 ? `, given up after ${attempts} attempts` : ''}`;
}

/** How a forgotten run had ended. */
export function drawBefore({ status, executions }: PublicExplanation): string {
  const last = executions.findLast(({ intent }) => intent !== 'forgotten');
  return status === 'forgotten' && last ? ` (the run had ${verb(last.status)})` : '';
}

function verb(status: string): string {
  return status === 'cancelled' || status === 'terminated' ? `been ${status}` : status;
}

function drawSpan({ startedAt, closedAt, status, executions }: Explanation): string {
  const from = drawTime(startedAt);
  const last = executions.at(-1);
  const stop = last?.stopped ? `; ${drawStop(last)}` : '';
  if (closedAt === null)
    return `since ${from}, ${drawDuration(Date.now() - Date.parse(startedAt))} ago${stop}`;
  if (status === 'forgotten') return `started ${from}, forgotten ${drawTime(closedAt)}`;
  const took = drawDuration(Date.parse(closedAt) - Date.parse(startedAt));
  return `${from} to ${drawTime(closedAt)}, ${took}${stop}`;
}

function drawKey({ status, keyExpiresAt, keyTtlMs, scope }: PublicExplanation): string | null {
  // A shadow run made none: a later start makes no effect again.
  const again = isShadow(scope) ? '' : ' and its effects again';
  if (status === 'forgotten') return `free: the next start under it makes a NEW run${again}`;
  if (keyTtlMs === null) return null;
  if (keyExpiresAt === null) {
    return `names this run while it goes on and for ${drawDuration(keyTtlMs)} after; a later start makes a NEW run`;
  }
  const at = drawTime(keyExpiresAt);
  return Date.parse(keyExpiresAt) > Date.now()
    ? `names this run until ${at}; later, the same start makes a NEW run${again}`
    : `has expired at ${at}: the next start makes a NEW run${again}`;
}

/** The input, where it was asked for. */
function drawInput({ request }: Explanation): string | null {
  return request?.input === undefined ? null : printable(JSON.stringify(request.input));
}
