import { html, type Html } from '../html.ts';

/** The values to choose from. */
export function options(values: readonly string[], chosen: string | undefined): Html[] {
  return values.map((value) =>
    value === chosen
      ? html`<option value="${value}" selected>${value}</option>`
      : html`<option value="${value}">${value}</option>`,
  );
}
