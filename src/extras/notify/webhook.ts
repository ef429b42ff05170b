import { invalidSetting, readHttpUrl, readText } from '../../env.ts';
import type { Notice } from './notice.ts';
import { postJson } from './post-json.ts';
import type { Receiver } from './receiver.ts';

const URL_NAME = 'AGENT_ONCE_NOTIFY_WEBHOOK_URL';
const SECRET_NAME = 'AGENT_ONCE_NOTIFY_WEBHOOK_SECRET';
/** As the specification has it. */
const SECRET_BYTES = { least: 24, most: 64 };

/** Sends notices as webhooks by the Standard Webhooks specification. */
export function webhook(): Receiver {
  return {
    name: 'webhook',
    async open(env) {
      const settings = readWebhookSettings(env);
      if (settings === undefined) return undefined;
      const { Webhook } = await import('standardwebhooks');
      const signers = settings.secrets.map((secret) => new Webhook(secret));
      return (notice, signal) => {
        const body = bodyOf(notice);
        const now = new Date();
        return postJson(
          settings.url,
          body,
          {
            'webhook-id': notice.id,
            'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
            // One for each secret: a receiver that knows either takes it.
            'webhook-signature': signers
              .map((signer) => signer.sign(notice.id, now, body))
              .join(' '),
          },
          signal,
        );
      };
    },
  };
}

/** `undefined`: no webhooks. */
export function readWebhookSettings(
  env?: NodeJS.ProcessEnv,
): { url: string; secrets: string[] } | undefined {
  const url = readHttpUrl(URL_NAME, env);
  const given = readText(SECRET_NAME, env);
  if (url === undefined) return undefined;
  if (given === undefined) throw invalidSetting(SECRET_NAME, `is missing beside ${URL_NAME}`);
  const secrets = given.split(/\s+/);
  if (secrets.every(isSecret)) return { url, secrets };
  throw invalidSetting(
    SECRET_NAME,
    `has one that is no whsec_ with ${SECRET_BYTES.least} to ${SECRET_BYTES.most} bytes in base64 behind it`,
  );
}

function isSecret(text: string): boolean {
  const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  if (base64 === undefined || base64.length % 4 !== 0) return false;
  const bytes = Buffer.from(base64, 'base64').length;
  return bytes >= SECRET_BYTES.least && bytes <= SECRET_BYTES.most;
}

/** The ID is in the header. */
function bodyOf({ type, timestamp, data }: Notice): string {
  return JSON.stringify({ type, timestamp, data });
}
