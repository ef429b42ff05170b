import { html } from '../html.ts';
import { ROOT } from '../paths.ts';
import { drawPage, notice } from './layout.ts';

/** @param to where to go once signed in */
export function drawSignIn(to: string, problem?: string): string {
  return drawPage({
    title: 'Sign in',
    body: html`<div>
      ${problem !== undefined && notice(problem, 'problem')}
      <form class="card" method="post" action="${`${ROOT}/sign-in`}">
        <input type="hidden" name="to" value="${to}" />
        <label for="key">API key</label>
        <input
          id="key"
          name="key"
          type="password"
          autocomplete="current-password"
          required
          maxlength="200"
          autofocus
        />
        <p class="hint">
          Whoever looks after this service makes a key for you:
          <code>agent-once api-keys create</code> with your name, and the scopes
          <code>read</code> and <code>decide</code>. It is kept in this browser until you sign out
          or close it.
        </p>
        <button class="primary">Sign in</button>
      </form>
    </div>`,
  });
}
