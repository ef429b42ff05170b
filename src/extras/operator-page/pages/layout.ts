import type { Caller } from '../../service/api-keys/port.ts';
import { html, type Html, type Part } from '../html.ts';
import { ROOT } from '../paths.ts';
import { may, nameOf } from '../session.ts';

/** A whole page. */
export interface Page {
  title: string;
  /** Absent: nobody is signed in. */
  caller?: Caller | undefined;
  /** Which entry of the navigation it belongs to. */
  section?: Section;
  body: Part;
}

const SECTIONS = { inbox: 'Inbox', decided: 'Decided', runs: 'Runs', start: 'Start' } as const;
type Section = keyof typeof SECTIONS;

export function drawPage({ title, caller, section, body }: Page): string {
  const page = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>${title} · agent-once</title>
      <link rel="icon" href="data:," />
      <link rel="stylesheet" href="${`${ROOT}/assets/page.css`}" />
      <script src="${`${ROOT}/assets/page.js`}" defer></script>
    </head>
    <body>
      <a class="skip" href="#main">Skip to the content</a>
      <header>
        <strong>agent-once</strong>
        ${caller && drawNavigation(caller, section)}
      </header>
      <main id="main">
        <h1>${title}</h1>
        ${body}
      </main>
    </body>
  </html>`;
  return `<!doctype html>${page.toString()}`;
}

function drawNavigation(caller: Caller, section: Section | undefined): Html[] {
  const names = (Object.keys(SECTIONS) as Section[]).filter(
    (name) => name !== 'start' || may(caller, 'start'),
  );
  const links = names.map(
    (name) =>
      html`<li>
        <a href="${`${ROOT}/${name}`}" aria-current="${name === section ? 'page' : 'false'}"
          >${SECTIONS[name]}</a
        >
      </li>`,
  );
  return [
    html`<nav aria-label="Pages">
      <ul>
        ${links}
      </ul>
    </nav>`,
    html`<form class="who" method="post" action="${`${ROOT}/sign-out`}">
      <span>${nameOf(caller)} · tenant ${caller.tenant}</span>
      ${caller.keyPrefix !== 'open' && html`<button>Sign out</button>`}
    </form>`,
  ];
}

/** Something that a person must notice. */
export function notice(what: Part, kind: 'done' | 'problem' = 'done'): Html {
  return html`<p class="${`notice ${kind}`}" role="${kind === 'done' ? 'status' : 'alert'}">
    ${what}
  </p>`;
}

/** Facts, each under its name; those that are missing are left out. */
export function facts(rows: readonly (readonly [name: string, value: Part])[]): Html {
  const shown = rows.filter(
    ([, value]) => value !== undefined && value !== null && value !== false && value !== '',
  );
  return html`<dl>
    ${shown.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}
