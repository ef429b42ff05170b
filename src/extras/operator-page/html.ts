import { html as template } from 'hono/html';
import { printable } from '../../cli/output.ts';
import { showDirection } from '../../contract/plain-text.ts';

/** A piece of HTML, as a text that is not escaped again. */
export type Html = string & { readonly isEscaped: true };
/** A part of a page, or nothing. */
export type Part = string | number | null | false | undefined | readonly Part[];

/**
 * A piece of HTML. Whatever is put in is shown as text, and an attribute's value, in quotes, stays
 * one: tools and models cannot write markup.
 */
export const html = template as (parts: TemplateStringsArray, ...values: Part[]) => Html;

/** Text of others as a part of one line; marks that would turn its order around are shown. */
export function showLine(text: string): string {
  return printable(text);
}

/** Text of others that may have several lines. */
export function showLines(text: string): Part {
  return printable(text, true)
    .split('\n')
    .flatMap((each, at) => (at === 0 ? [each] : [html`<br />`, each]));
}

/** JSON as people read it, for a `pre` or a field to edit; a text as it is. */
export function showJson(value: unknown): string {
  if (typeof value === 'string') return printable(value, true);
  // As escapes, which say the same to whoever reads it as JSON.
  const text = JSON.stringify(value, null, 2).replaceAll(
    /[\u007f-\u009f]/g,
    (control) => `\\u00${control.charCodeAt(0).toString(16)}`,
  );
  return showDirection(text);
}

/** A moment. The browser shows it in its own time zone. */
export function time(iso: string): Html {
  const shown = `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
  return html`<time datetime="${iso}" data-time="">${shown}</time>`;
}

/** How long until a moment, or since it; the browser keeps it running. */
export function distance(iso: string): Html {
  return html`<time datetime="${iso}" data-distance="" title="${iso}">${inWords(iso)}</time>`;
}

/** As `assets/page.js` says it. */
function inWords(iso: string): string {
  const ms = Date.parse(iso) - Date.now();
  const minutes = Math.floor(Math.abs(ms) / 60_000);
  const [days, hours] = [Math.floor(minutes / 1_440), Math.floor(minutes / 60) % 24];
  const parts =
    days > 0 ? `${days} d ${hours} h` : hours > 0 ? `${hours} h ${minutes % 60} min` : '';
  const words = parts === '' ? (minutes === 0 ? 'less than a minute' : `${minutes} min`) : parts;
  return ms < 0 ? `${words} ago` : `in ${words}`;
}
