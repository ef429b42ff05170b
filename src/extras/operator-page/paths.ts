/** Every address of the page begins with it. */
export const ROOT = '/app';

export function runPath(workflowId: string): string {
  return `${ROOT}/runs/${encodeURIComponent(workflowId)}`;
}

export function questionPath(workflowId: string, step: string): string {
  return `${runPath(workflowId)}/questions/${step}`;
}

/** An address of the page that a form or a link has named; anything else is the inbox. */
export function ownPath(to: unknown): string {
  // One slash only: "//host" is another site, and so is "/\host" to a browser.
  // And no step up, which would lead out of the page.
  const isOwn = typeof to === 'string' && /^\/app\/(?!.*\.\.)[\x21-\x5b\x5d-\x7e]*$/.test(to);
  return isOwn ? to : `${ROOT}/inbox`;
}
