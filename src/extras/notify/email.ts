import { invalidSetting, readText } from '../../env.ts';
import type { Notice } from './notice.ts';
import { NotTakenError, type Receiver } from './receiver.ts';

/** What an e-mail says, without what is in every one. */
export interface Mail {
  subject: string;
  text: string;
}

const SMTP_NAME = 'AGENT_ONCE_NOTIFY_SMTP_URL';
const FROM_NAME = 'AGENT_ONCE_NOTIFY_MAIL_FROM';
const TO_NAME = 'AGENT_ONCE_NOTIFY_MAIL_TO';
const TIMEOUT_MS = 10_000;

/** Sends notices as e-mails, in plain text. */
export function email(toMail: (notice: Notice) => Mail): Receiver {
  return {
    name: 'email',
    async open(env) {
      const settings = readMailSettings(env);
      if (settings === undefined) return undefined;
      const { createTransport } = await import('nodemailer');
      const transport = createTransport(settings.url, {
        // What a template returns is text, and never the name of a file to attach.
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      return async (notice) => {
        const { subject, text } = toMail(notice);
        const mail = {
          from: settings.from,
          to: settings.to,
          subject,
          text,
          // The same in every attempt: many servers deliver one of two.
          messageId: `<${notice.id}@agent-once>`,
          headers: { 'Auto-Submitted': 'auto-generated' },
        };
        await transport.sendMail(mail).catch((error: unknown) => {
          throw new NotTakenError(whyNot(error));
        });
      };
    },
  };
}

/** `undefined`: no e-mails. */
export function readMailSettings(env?: NodeJS.ProcessEnv) {
  const url = readText(SMTP_NAME, env);
  const from = readText(FROM_NAME, env);
  const to = readText(TO_NAME, env);
  if (url === undefined) return undefined;
  if (!/^smtps?:\/\//.test(url) || !URL.canParse(url)) {
    throw invalidSetting(SMTP_NAME, 'is no smtp or smtps URL');
  }
  if (from === undefined) throw invalidSetting(FROM_NAME, `is missing beside ${SMTP_NAME}`);
  if (to === undefined) throw invalidSetting(TO_NAME, `is missing beside ${SMTP_NAME}`);
  const timed = new URL(url);
  for (const name of ['connectionTimeout', 'greetingTimeout', 'socketTimeout']) {
    if (!timed.searchParams.has(name)) timed.searchParams.set(name, String(TIMEOUT_MS));
  }
  return { url: timed.href, from, to };
}

/** By codes alone: the server's own words may repeat a password. */
function whyNot(error: unknown): string {
  const { responseCode, code } = error as { responseCode?: number; code?: string };
  if (responseCode !== undefined) return `The mail server answered ${responseCode}.`;
  return `The mail server cannot be reached (${code ?? 'no answer'}).`;
}
