import {
  email,
  slack,
  slackText,
  webhook,
  type Mail,
  type Notice,
} from '../extras/notify/index.ts';

/** Who is told that a run waits or has failed: each from when its variables are set. See docs/notices.md. */
export const receivers = [
  webhook(),
  slack((notice) => ({ text: `${slackText(headOf(notice))}\n${notice.data.url}` })),
  email(toMail),
];

function toMail(notice: Notice): Mail {
  const { agent, tenant, key, url } = notice.data;
  const why = notice.type === 'run.failed' ? [notice.data.error.message, ''] : [];
  const run = `Run ${key} of agent ${agent}, tenant ${tenant}.`;
  return { subject: headOf(notice), text: [headOf(notice), ...why, url, '', run].join('\n') };
}

/** What happened, in one line. */
function headOf(notice: Notice): string {
  if (notice.type === 'run.failed') {
    return `A run of ${notice.data.agent} has failed: ${notice.data.error.code}`;
  }
  const { agent, kind, tool, summary, deadline } = notice.data;
  const asks = kind === 'approval' ? 'asks for approval of' : 'does not know whether it made';
  return `${agent} ${asks} ${tool}: ${summary}. Answer by ${deadline}.`;
}
