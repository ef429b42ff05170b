import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SMTPServer } from 'smtp-server';
import { startCli, type RunningCli } from '../../../../../test/support/cli.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../../test/support/system.ts';

const PASSWORD = 'pass-word-of-mail';

let system: TestSystem;
let worker: RunningCli;
let slack: Server;
let smtp: SMTPServer;
const messages: { text: string }[] = [];
const mails: { from: string; to: string[]; text: string }[] = [];
/** How often the mail server refuses one before it takes it. */
let refusals = 1;

beforeAll(async () => {
  slack = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    request.on('end', () => {
      messages.push(JSON.parse(text) as { text: string });
      response.end('ok');
    });
  }).listen(0, '127.0.0.1');
  smtp = new SMTPServer({
    authMethods: ['PLAIN', 'LOGIN'],
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    onAuth: ({ username = '', password }, _session, done) =>
      password === PASSWORD ? done(null, { user: username }) : done(new Error('Wrong password')),
    onData(stream, { envelope }, done) {
      let text = '';
      stream.setEncoding('utf8').on('data', (chunk) => (text += String(chunk)));
      stream.on('end', () => {
        if (refusals-- > 0) return done(Object.assign(new Error('Later'), { responseCode: 451 }));
        const from = envelope.mailFrom ? envelope.mailFrom.address : '';
        mails.push({ from, to: envelope.rcptTo.map(({ address }) => address), text });
        done();
      });
    },
  });
  smtp.on('error', () => {});
  const mailServer = smtp.listen(0, '127.0.0.1');
  await Promise.all([once(slack, 'listening'), once(mailServer, 'listening')]);
  const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
  system = await startTestSystem();
  worker = startCli(['worker'], {
    ...system.env,
    TEST_AGENTS: 'of workers',
    AGENT_ONCE_NOTIFY_EVERY: '1s',
    AGENT_ONCE_PUBLIC_URL: 'https://agents.example',
    AGENT_ONCE_NOTIFY_SLACK_URL: `http://127.0.0.1:${portOf(slack)}/services/T0/B0/x`,
    AGENT_ONCE_NOTIFY_SMTP_URL: `smtp://agents:${PASSWORD}@127.0.0.1:${portOf(mailServer)}`,
    AGENT_ONCE_NOTIFY_MAIL_FROM: 'Agents <agents@agents.example>',
    AGENT_ONCE_NOTIFY_MAIL_TO: 'ann@agents.example, bob@agents.example',
  });
});
afterAll(async () => {
  worker.child.kill('SIGKILL');
  await worker.ended;
  slack.close();
  await new Promise<void>((resolve) => smtp.close(() => resolve()));
  await system.close();
});

test('Slack and e-mail say what waits, as text, and where it is answered; each on its own', async () => {
  const ref = { agent: 'tester', key: `k-${randomUUID()}` };
  const label = '<!channel> & \r\nBcc: eve@evil.example';
  const { workflowId } = await system.client.start({
    ...ref,
    input: script(calls(['spend', { label, amount: 300 }]), { say: 'done' }),
  });
  const url = `https://agents.example/app/runs/${workflowId}#t1.c0`;
  await eventually(() => expect(mails).not.toEqual([]), worker.stderr);
  expect(messages).toEqual([
    {
      text: expect.stringMatching(
        /^tester asks for approval of spend: spend 300 on &lt;!channel&gt; &amp; [^]*Answer by 2\d{3}-/,
      ),
    },
  ]);
  expect(messages[0]?.text.endsWith(url)).toBe(true);
  expect(mails).toMatchObject([
    { from: 'agents@agents.example', to: ['ann@agents.example', 'bob@agents.example'] },
  ]);
  const [head = '', body = ''] = (mails[0]?.text ?? '').split(/\r\n\r\n([^]*)/);
  expect(head).toMatch(/^Message-ID: <msg_[0-9a-f]{40}@agent-once>$/m);
  expect(head).toMatch(/^Subject: tester asks for approval of spend/m);
  // Text of a model or a tool makes no header.
  expect(head).not.toMatch(/^Bcc:/im);
  expect(body.replaceAll('=\r\n', '')).toContain(`/app/runs/${workflowId}#t1.c0`);
  // Refused once by the mail server: Slack was not told again for that.
  expect(worker.stderr()).toMatch(/email did not take msg_\w+ .*The mail server answered 451/);
  expect(worker.stderr()).not.toContain(PASSWORD);
  expect(worker.stderr()).not.toContain('/services/');
  const steps = await system.ledger.steps(await system.scopeOf(workflowId));
  const attempts = steps.flatMap((step) =>
    step.name.startsWith('notify.') ? [[step.name, step.attempts]] : [],
  );
  expect(Object.fromEntries(attempts)).toEqual({ 'notify.email': 2, 'notify.slack': 1 });
  await system.client.cancel(ref);
});
