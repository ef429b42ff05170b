import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../../../test/support/eventually.ts';
import { calls, script } from '../../../../test/support/system.ts';
import { askToSpend } from '../../service/test/decide-over-http.ts';
import { startHttpSuite, type HttpSuite } from '../../service/test/support/http-suite.ts';
import type { TestService } from '../../service/test/support/service.ts';
import { Inbox } from '../inbox.ts';
import { ownPath } from '../paths.ts';
import { openQuestionLists } from '../question-lists.ts';

let suite: HttpSuite;
let open: TestService;

beforeAll(async () => {
  suite = await startHttpSuite({ AGENT_ONCE_PUBLIC_URL: 'https://agents.example.com' });
  open = await suite.startAnother({ TEST_OPEN: '1' });
  await suite.system.startWorker();
});
afterAll(() => suite?.close());

interface Sent {
  key?: string;
  /** Its name; default: as over TLS, which the suite's public address is of. */
  cookie?: string;
  service?: TestService;
  headers?: Record<string, string>;
  form?: Record<string, string>;
}

/** As a browser does it that shows the page, unless the headers say otherwise. */
function visit(
  path: string,
  { key, cookie, service, headers, form }: Sent = {},
): Promise<Response> {
  return fetch(`${(service ?? suite.service).url}${path}`, {
    redirect: 'manual',
    headers: {
      ...(key === undefined
        ? {}
        : { cookie: `other=1; ${cookie ?? '__Host-agent_once_key'}=${key}` }),
      ...(form ? { 'sec-fetch-site': 'same-origin' } : {}),
      ...headers,
    },
    ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
  });
}

const APPROVE = { decision: 'approve', round: '1', kind: 'approval', execution: randomUUID() };

describe('the session', () => {
  test('whoever is not signed in is led to the sign-in, and back to where they were going', async () => {
    const answer = await visit('/app/runs?status=failed');
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('/app/sign-in?to=%2Fapp%2Fruns%3Fstatus%3Dfailed');
    const form = await visit('/app/sign-in?to=%2Fapp%2Fruns%3Fstatus%3Dfailed');
    expect(await form.text()).toContain('name="to" value="/app/runs?status=failed"');
  });

  test('no script and no other site can read or send its cookie', async () => {
    const answer = await visit('/app/sign-in', { form: { key: suite.key, to: '/app/runs' } });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/app/runs']);
    expect(answer.headers.getSetCookie()).toEqual([
      `__Host-agent_once_key=${suite.key}; Path=/; HttpOnly; Secure; SameSite=Lax`,
    ]);
    expect((await visit('/app/runs', { key: suite.key })).status).toBe(200);
  });

  test('a cookie that a sibling of its host can set is none', async () => {
    const tossed = await visit('/app/runs', { key: suite.key, cookie: 'agent_once_key' });
    expect(tossed.headers.get('location')).toMatch(/sign-in/);
  });

  test('on this machine alone, without TLS, its cookie needs none', async () => {
    const service = await suite.startAnother({ AGENT_ONCE_PUBLIC_URL: '' });
    const answer = await visit('/app/sign-in', { service, form: { key: suite.key } });
    expect(answer.headers.getSetCookie()).toEqual([
      `agent_once_key=${suite.key}; Path=/app; HttpOnly; SameSite=Lax`,
    ]);
    const cookie = 'agent_once_key';
    expect((await visit('/app/runs', { service, key: suite.key, cookie })).status).toBe(200);
    const out = await visit('/app/sign-out', { service, key: suite.key, cookie, form: {} });
    expect(out.headers.getSetCookie().join()).toMatch(/^agent_once_key=;.* Path=\/app;.*1970/);
  });

  test('a wrong key is told so, and removed from the browser', async () => {
    const answer = await visit('/app/inbox', { key: 'ao_wrong' });
    expect(answer.headers.get('location')).toContain('&wrong=1');
    expect(answer.headers.getSetCookie().join()).toMatch(
      /^__Host-agent_once_key=;.* Path=\/;.*1970.*Secure/,
    );
  });

  test('it is no key of the API, and a key of the API in the header is no session', async () => {
    expect((await visit('/v1/runs', { key: suite.key })).status).toBe(401);
    const headers = { authorization: `Bearer ${suite.key}` };
    expect((await visit('/app/inbox', { headers })).status).toBe(303);
  });

  test('it leads nowhere but to pages of this service', () => {
    const elsewhere = [
      '//evil.example/app/',
      'https://evil.example',
      '/app/\\..',
      '/app/../v1/runs',
      '/v1/runs',
      undefined,
    ];
    expect(elsewhere.map(ownPath)).toEqual(elsewhere.map(() => '/app/inbox'));
    expect(ownPath('/app/runs?status=failed')).toBe('/app/runs?status=failed');
  });
});

describe('a form', () => {
  test.each([
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ 'sec-fetch-site': 'none' }, 403],
    [{ 'sec-fetch-site': 'cross-site', origin: 'https://agents.example.com' }, 403],
  ])('that another site sends with the session is refused: %j', async (headers, status) => {
    await askToSpend(suite, 'stranger').catch(() => {});
    const path = '/app/runs/agent-tester-stranger/steps/t1.c0/decision';
    const answer = await visit(path, { key: suite.key, headers, form: APPROVE });
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain('another site');
    expect(suite.system.counter.requests('spend:stranger')).toBe(0);
  });

  test('of an old browser is taken by its origin, the public one too', async () => {
    const send = (origin: string) =>
      fetch(`${suite.service.url}/app/sign-out`, {
        method: 'POST',
        redirect: 'manual',
        headers: { origin },
      });
    expect((await send(suite.service.url)).status).toBe(303);
    expect((await send('https://agents.example.com')).status).toBe(303);
    expect((await send('https://evil.example')).status).toBe(403);
  });
});

test("another tenant's run is not there, on no page and for no form", async () => {
  await askToSpend(suite, 'mine');
  const other = await suite.keys.keyOf('acme');
  const run = '/app/runs/agent-tester-mine';
  for (const path of [run, `${run}/live?key=${randomUUID()}`, `${run}/questions/t1.c0`]) {
    const answer = await visit(path, { key: other });
    expect([path, answer.status]).toEqual([path, 404]);
    expect(await answer.text()).not.toContain('spend');
  }
  for (const path of ['/steps/t1.c0/decision', '/cancel', '/resume', '/forget', '/shadow']) {
    const answer = await visit(run + path, { key: other, form: { ...APPROVE, sure: 'yes' } });
    expect([path, answer.status]).toEqual([path, 404]);
  }
  for (const path of ['/app/inbox', '/app/decided', '/app/runs']) {
    const answer = await visit(path, { key: other });
    expect(await answer.text()).not.toContain('mine');
  }
});

test('the inbox has the oldest question first, and none of a run that was ended from outside', async () => {
  const key = await suite.keys.keyOf('queue');
  const { client } = suite.system;
  const start = async (label: string) => {
    const run = { agent: 'tester', tenant: 'queue', key: label };
    const input = script(calls(['spend', { label, amount: 100 }]), { say: 'ok' });
    const { workflowId } = await client.start({ ...run, input });
    await eventually(async () => expect((await client.describe(run)).status).toBe('waiting'));
    return workflowId;
  };
  const ended = await start('ended');
  // The older question is of the run that started later.
  const [late, early] = [await start('late'), await start('early')];
  await suite.system.sql.query(
    `UPDATE agent_once.questions SET asked_at = asked_at - interval '1 day' WHERE workflow_id IN ($1, $2)`,
    [early, ended],
  );
  await suite.system.temporal.workflow.getHandle(ended).terminate('by somebody else');
  await eventually(async () => {
    const page = await (await visit('/app/inbox', { key })).text();
    const links = [...page.matchAll(/href="\/app\/runs\/([^/"]+)\/questions/g)];
    expect(links.map(([, id]) => id)).toEqual([early, late]);
    expect(page).toContain('2 questions wait, the oldest first.');
  });
});

test('the inbox leaves out what was answered, and nothing that is asked later under its name', async () => {
  const { client, env } = suite.system;
  const lists = openQuestionLists(env['LEDGER_URL'] ?? '');
  const inbox = new Inbox(client, lists);
  const run = { workflowId: 'agent-tester-later' };
  const about = { step: 't1.c0', kind: 'approval', round: 1 } as const;
  const shown = async () =>
    (await inbox.of('default')).questions.map((each) => each.run.workflowId);
  try {
    // As of a run that was forgotten since.
    inbox.answered(run, about);
    await askToSpend(suite, 'later');
    await eventually(async () => expect(await shown()).toContain(run.workflowId));
    inbox.answered(run, { ...about, kind: 'outcome' });
    expect(await shown()).toContain(run.workflowId);
    inbox.answered(run, about);
    expect(await shown()).not.toContain(run.workflowId);
  } finally {
    await lists?.close();
  }
});

test('a key does what its scopes say: who may only read is offered nothing else', async () => {
  await askToSpend(suite, 'scoped');
  const run = '/app/runs/agent-tester-scoped';
  const reader = await suite.keys.keyOf('default', ['read']);
  const page = await (await visit(run, { key: reader })).text();
  expect(page).toContain('somebody else has to answer');
  expect(page.match(/<button/g)).toHaveLength(1);
  const forms: [string, Record<string, string>][] = [
    ['/steps/t1.c0/decision', APPROVE],
    ['/cancel', { execution: randomUUID() }],
    ['/forget', { execution: randomUUID(), sure: 'yes' }],
  ];
  for (const [path, form] of forms) {
    expect((await visit(run + path, { key: reader, form })).status).toBe(403);
  }
  expect((await visit('/app/start', { key: reader })).status).toBe(403);
});

test.each([
  ['/app/runs?cursor=nonsense', 400],
  ['/app/runs?status=odd', 400],
  ['/app/inbox?from=-1', 400],
  ['/app/decided?before=yesterday', 400],
  ['/app/runs/agent-tester-nobody', 404],
  ['/app/runs/agent-tester-nobody/live?key=1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed', 404],
  ['/app/runs/agent-tester-nobody/live', 400],
  ['/app/nothing', 404],
])('%s is answered with a page that says what is wrong', async (path, status) => {
  const answer = await visit(path, { key: suite.key });
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(await answer.text()).toMatch(/role="alert">\s*\S/);
});

test('of pages nothing is kept, and they load nothing that is not of this service', async () => {
  const { headers } = await visit('/app/inbox', { key: suite.key });
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(headers.get('content-security-policy')).not.toContain('unsafe');
});

test('page, style and script are together under 150 kB', async () => {
  const sizes = await Promise.all(
    ['/app/inbox', '/app/assets/page.css', '/app/assets/page.js'].map(async (path) => {
      const answer = await visit(path, { key: suite.key });
      expect(answer.status).toBe(200);
      return (await answer.arrayBuffer()).byteLength;
    }),
  );
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(150_000);
});

test('without API keys whoever sits at the machine decides, and no page of another site does', async () => {
  await askToSpend(suite, 'open');
  const run = '/app/runs/agent-tester-open';
  const page = await (await visit(`${run}/questions/t1.c0`, { service: open })).text();
  const [, execution = ''] = /name="execution" value="([^"]+)"/.exec(page) ?? [];
  const path = `${run}/steps/t1.c0/decision`;
  const form = { ...APPROVE, execution };
  const headers = { 'sec-fetch-site': 'cross-site' };
  expect((await visit(path, { service: open, headers, form })).status).toBe(403);
  const stale = { ...form, execution: randomUUID() };
  expect((await visit(path, { service: open, form: stale })).status).toBe(409);
  expect((await visit(path, { service: open, form })).status).toBe(303);
});
