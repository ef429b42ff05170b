import type { JsonValue } from '../../contract/json-value.ts';
import { readHttpUrl } from '../../env.ts';
import type { Notice } from './notice.ts';
import { postJson } from './post-json.ts';
import type { Receiver } from './receiver.ts';

/**
 * Sends notices to an incoming webhook of Slack, or of what understands the same.
 *
 * @param toMessage the body, such as `{ text }`; see `slackText`
 */
export function slack(toMessage: (notice: Notice) => JsonValue): Receiver {
  return {
    name: 'slack',
    open(env) {
      const url = readSlackUrl(env);
      if (url === undefined) return Promise.resolve(undefined);
      return Promise.resolve((notice, signal) =>
        postJson(url, JSON.stringify(toMessage(notice)), {}, signal),
      );
    },
  };
}

export function readSlackUrl(env?: NodeJS.ProcessEnv): string | undefined {
  return readHttpUrl('AGENT_ONCE_NOTIFY_SLACK_URL', env);
}

/** Text of a model or a tool, as Slack shows it and does nothing with it. */
export function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
