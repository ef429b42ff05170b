import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { openBrowser } from '../../../../../test/support/browser/open-browser.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import { calls, script } from '../../../../../test/support/system.ts';
import type { Scope } from '../../../service/api-keys/port.ts';
import { askToSpend, untilAsked, untilCompleted } from '../../../service/test/decide-over-http.ts';
import { startHttpSuite, type HttpSuite } from '../../../service/test/support/http-suite.ts';

let suite: HttpSuite;
let browser: Browser;
/** What browsers said that a person does not see. */
const complaints: string[] = [];

/** Somebody at a browser of their own. */
interface Person {
  key: string;
  prefix: string;
  context: BrowserContext;
  page: Page;
}

beforeAll(async () => {
  suite = await startHttpSuite();
  await suite.system.startWorker();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await suite?.close();
});

/** Somebody who has a key, and is not signed in. */
async function somebody(name: string, scopes: Scope[], tenant = 'default'): Promise<Person> {
  const { key, record } = await suite.keys.keys.create({ tenant, scopes, name });
  const context = await browser.newContext({ locale: 'en-US' });
  const page = await context.newPage();
  // What the content security policy refuses, and every defect of the script, is told here.
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) {
      complaints.push(message.text());
    }
  });
  return { key, prefix: record.prefix, context, page };
}

async function signIn({ page, key }: Person, path = '/app/inbox'): Promise<void> {
  await page.goto(suite.service.url + path);
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(suite.service.url + path);
}

/** What the accessibility check finds wrong on the page, and where. */
async function violations(page: Page): Promise<unknown> {
  await page.evaluate(axe.source);
  return page.evaluate(
    `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))`,
  );
}

test('two people work on one inbox: the second to answer is told who was first', async () => {
  for (const label of ['one', 'two']) await askToSpend(suite, label);
  const ann = await somebody('ann', ['read', 'decide']);
  const bob = await somebody('bob', ['read', 'decide']);
  // A link from a mail leads there, after the sign-in.
  await signIn(bob, '/app/runs/agent-tester-one/questions/t1.c0');
  await signIn(ann);

  const rows = ann.page.getByRole('table').getByRole('row');
  await eventually(async () => {
    await ann.page.reload();
    expect(await rows.count()).toBe(3);
  });
  expect(await rows.nth(1).innerText()).toMatch(/spend.*one/s);
  await rows.nth(1).getByRole('link').first().click();
  expect(await ann.page.locator('pre.arguments').innerText()).toBe(
    JSON.stringify({ label: 'one', amount: 100 }, null, 2),
  );
  await ann.page.getByLabel(/^Comment/).fill('checked <b>it</b>');
  await ann.page.getByRole('button', { name: 'Approve' }).click();
  // The next one.
  await ann.page.waitForURL(/agent-tester-two\/questions/);
  expect(await ann.page.getByRole('status').innerText()).toContain('it may run');

  await bob.page.getByRole('button', { name: 'Deny' }).click();
  await bob.page.getByRole('alert').waitFor();
  expect(await bob.page.getByRole('alert').innerText()).toMatch(
    new RegExp(`^ann \\(${ann.prefix}\\).*approve`),
  );
  await untilCompleted(suite, 'one');
  expect(suite.system.counter.requests('spend:one')).toBe(1);

  await ann.page.getByRole('button', { name: 'Deny' }).click();
  await ann.page.waitForURL(/\/inbox$/);
  expect(await ann.page.getByRole('status').innerText()).toContain('it may not run');
  await untilCompleted(suite, 'two');
  expect(suite.system.counter.requests('spend:two')).toBe(0);

  await ann.page.getByRole('link', { name: 'Decided' }).click();
  const decided = ann.page.getByRole('table').getByRole('row');
  const [, second = '', first = ''] = await decided.allInnerTexts();
  expect(first).toMatch(/ann .*it may run.*tester one.*checked <b>it<\/b>.*is done/s);
  expect(second).toMatch(/ann .*it may not run.*tester two.*was not made/s);
});

test('of an unknown outcome, whoever says that it did not happen must be sure', async () => {
  suite.system.counter.drop('send:lost');
  await suite.start('"lost"', { input: script(calls(['send', { label: 'lost' }]), { say: 'ok' }) });
  await untilAsked(suite, 'lost');
  const carl = await somebody('carl', ['read', 'decide']);
  await signIn(carl, '/app/runs/agent-tester-lost');
  const { page } = carl;
  expect(
    await page.getByText('It fell silent').or(page.getByText('what it had sent')).count(),
  ).toBe(1);
  // Where it ran: somebody has to look whether that process is dead.
  expect(await page.locator('.question').innerText()).toMatch(/by process \d+ on /);
  const again = page.getByRole('button', { name: 'It did not happen' });
  await again.click();
  // The browser asks for the tick; nothing was sent.
  expect(page.url()).toContain('agent-tester-lost');
  await page.getByRole('checkbox').check();
  await again.click();

  await page.getByRole('status').filter({ hasText: 'it did not happen' }).waitFor();
  await untilCompleted(suite, 'lost');
  expect(suite.system.counter.requests('send:lost')).toBe(2);
});

test('where the tool allows it, a call is approved with other arguments, and both are kept', async () => {
  const input = script(calls(['pay', { label: 'x', amount: 300 }]), { say: 'ok' });
  await suite.start('"edited"', { input }, { agent: 'editor' });
  await eventually(async () => {
    const answer = await suite.send('GET', '/v1/runs/agent-editor-edited');
    expect(await answer.json()).toMatchObject({ status: 'waiting' });
  });
  const ida = await somebody('ida', ['read', 'decide']);
  await signIn(ida, '/app/runs/agent-editor-edited/questions/t1.c0');
  const { page } = ida;
  await page.getByText('Change the arguments').click();
  const field = page.getByLabel(/^Arguments that/);
  const approve = page.getByRole('button', { name: 'Approve with these arguments' });
  for (const [typed, problem] of [
    ['{ "label": "x", ', 'JSON'],
    ['{ "label": "x", "amount": 5000 }', 'amount'],
  ] as const) {
    await field.fill(typed);
    await approve.click();
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').innerText()).toContain(problem);
    expect(await field.inputValue()).toBe(typed);
  }
  expect(await violations(page)).toEqual([]);
  await field.fill('{ "label": "x", "amount": 200 }');
  await approve.click();
  await page.getByRole('status').filter({ hasText: 'it may run' }).waitFor();
  await page.goto(`${suite.service.url}/app/runs/agent-editor-edited`);
  await page.locator('#story .pill.completed').waitFor();
  const story = await page.locator('#story').innerText();
  expect(story).toMatch(/asked for: .*"amount":300.*ida .* approved instead: .*"amount":200/s);
  expect(story).toMatch(/answered at .* by ida/);
  expect(suite.system.counter.requests('pay:x:200')).toBe(1);
  expect(suite.system.counter.requests('pay:x:300')).toBe(0);
});

test('a story goes on by itself, and takes nothing from under the hands of who fills in a form', async () => {
  const [question] = await askToSpend(suite, 'live');
  const dora = await somebody('dora', ['read', 'decide']);
  await signIn(dora, '/app/runs/agent-tester-live');
  const { page } = dora;
  expect(await page.locator('#story').innerText()).toContain('waits for approval, not run yet');
  const comment = page.getByLabel(/^Comment/);
  await comment.fill('half a sen');
  await suite.send('POST', `/v1/runs/agent-tester-live/steps/${question?.step}/decision`, {
    body: { decision: 'approve', by: 'somebody else' },
  });
  await page.locator('#story .pill.completed').waitFor();
  expect(await page.locator('#story').innerText()).toContain('answered at');
  expect(await comment.inputValue()).toBe('half a sen');
  // The question is answered: whoever writes is told, and says when to see it.
  await page.getByRole('button', { name: 'Show it as it is now' }).click();
  await comment.waitFor({ state: 'detached' });
});

test('a run is started, cancelled, resumed without its input, shadowed and forgotten', async () => {
  const eve = await somebody('eve', ['admin']);
  await signIn(eve, '/app/start');
  const { page } = eve;
  await page.getByLabel('Agent').selectOption('tester');
  await page.getByLabel('The input is JSON').check();
  const input = JSON.stringify(
    script(calls(['spend', { label: 'eve', amount: 100 }]), { say: 'ok' }),
  );
  await page.getByLabel('Input', { exact: true }).fill(`${input} oops`);
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByRole('alert').waitFor();
  expect(await page.getByLabel('Input', { exact: true }).inputValue()).toBe(`${input} oops`);
  await page.getByLabel('The input is JSON').check();
  await page.getByLabel('Input', { exact: true }).fill(input);
  await page.getByRole('button', { name: 'Start' }).click();
  await page.waitForURL(/\/app\/runs\/agent-tester-/);
  const { pathname } = new URL(page.url());
  await page.locator('#questions .question').waitFor();

  await page.getByRole('button', { name: 'Cancel the run' }).click();
  await page.locator('#story .pill.cancelled').waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.locator('#questions .question').waitFor();

  await page.getByRole('button', { name: 'Start a shadow run' }).click();
  await page.locator('#story .pill.completed').waitFor();
  expect(await page.locator('#story').innerText()).toContain('only pretended (shadow run)');
  expect(new URL(page.url()).pathname).not.toBe(pathname);

  await page.goto(suite.service.url + pathname);
  await page.getByRole('button', { name: 'Cancel the run' }).click();
  await page.locator('#story .pill.cancelled').waitFor();
  await page.getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Forget the run' }).click();
  await page.locator('#story .pill.forgotten').waitFor();
  expect(await violations(page)).toEqual([]);
  expect(suite.system.counter.requests('spend:eve')).toBe(0);

  await eventually(async () => {
    await page.goto(`${suite.service.url}/app/runs?status=forgotten`);
    expect(await page.getByRole('table').innerText()).toMatch(/forgotten.*tester/s);
  });
  await page.goto(`${suite.service.url}/app/runs?agent=tester`);
  expect(await page.getByRole('table').innerText()).toMatch(/shadow\s+tester/);
});

test('what nobody answered in time is among what was decided, and is said to be that', async () => {
  const late = await startHttpSuite();
  try {
    await late.system.startWorker({ TEST_DEADLINE_SECONDS: '1' });
    const input = script(calls(['spend', { label: 'late', amount: 100 }]), { say: 'ok' });
    await late.start('"late"', { input });
    await untilCompleted(late, 'late');
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${late.service.url}/app/decided`);
    await page.getByLabel('API key').fill(late.key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    const row = page.getByRole('table').getByRole('row').nth(1);
    expect(await row.innerText()).toMatch(
      /expired: nobody answered.*it counted as denied.*tester late.*was not made/s,
    );
    await row.getByRole('link').click();
    await page.locator('#story .pill.completed').waitFor();
    expect(await page.locator('#story').innerText()).toContain('nobody had answered');
    await context.close();
  } finally {
    await late.close();
  }
  expect(late.system.counter.requests('spend:late')).toBe(0);
});

test('without API keys, whoever sits at the machine answers in the browser', async () => {
  const open = await suite.startAnother({ TEST_OPEN: '1' });
  await askToSpend(suite, 'unlocked');
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${open.url}/app/runs/agent-tester-unlocked/questions/t1.c0`);
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByRole('status').filter({ hasText: 'it may run' }).waitFor();
  await untilCompleted(suite, 'unlocked');
  expect(suite.system.counter.requests('spend:unlocked')).toBe(1);
  await context.close();
});

test('a form on a page of another site decides nothing, whoever is signed in', async () => {
  await askToSpend(suite, 'lured');
  const jo = await somebody('jo', ['admin']);
  await signIn(jo, '/app/runs/agent-tester-lured');
  const path = '/app/runs/agent-tester-lured/steps/t1.c0/decision';
  const execution = await jo.page.locator('input[name=execution]').first().getAttribute('value');
  const fields = { decision: 'approve', round: '1', kind: 'approval', execution: execution ?? '' };
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${name}" value="${value}">`,
  );
  const stranger = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    const action = suite.service.url + path;
    response.end(
      `<form method="post" action="${action}">${inputs.join('')}<button>Win</button></form>`,
    );
  }).listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  const { port } = stranger.address() as AddressInfo;
  const tab = await jo.context.newPage();
  try {
    // Another site: a cookie goes along to every port of one name.
    await tab.goto(`http://localhost:${port}/`);
    const refused = tab.waitForResponse((response) => response.url().endsWith(path));
    await tab.getByRole('button', { name: 'Win' }).click();
    expect([401, 403]).toContain((await refused).status());
    await tab.goto(`http://127.0.0.1:${port}/`);
    const again = tab.waitForResponse((response) => response.url().endsWith(path));
    await tab.getByRole('button', { name: 'Win' }).click();
    expect((await again).status()).toBe(403);
  } finally {
    stranger.close();
    await tab.close();
  }
  expect(suite.system.counter.requests('spend:lured')).toBe(0);
  const theirs = { agent: 'tester', tenant: 'acme', key: 'theirs', input: script({ say: 'ok' }) };
  const { workflowId } = await suite.system.client.start(theirs);
  await jo.page.goto(`${suite.service.url}/app/runs/${workflowId}`);
  expect(await jo.page.getByRole('heading', { level: 1 }).innerText()).toBe('There is no such run');
});

test('text of tools and models is shown as text, and a long one does not break the page', async () => {
  const label = `<img src=x onerror="document.title='owned'">\u202e\u0007${'long '.repeat(20_000)}`;
  const input = script(
    {
      say: '<script>document.title="owned"</script>',
      ...(calls(['spend', { label, amount: 100 }]) as object),
    },
    { say: '<h1>done</h1>\u001b[2J' },
  );
  await suite.start('"markup"', { input });
  await untilAsked(suite, 'markup');
  const fay = await somebody('fay', ['read', 'decide', 'start']);
  await signIn(fay, '/app/runs/agent-tester-markup');
  const { page } = fay;
  const shown = await page.locator('pre.arguments').innerText();
  expect(shown).toContain('<img src=x onerror=');
  expect(shown).toContain('\\u202e');
  expect(shown).not.toMatch(/[\u0007\u001b\u202e]/);
  expect(shown.length).toBeGreaterThan(100_000);
  expect(await page.locator('img, main script').count()).toBe(0);
  // The tool would put it into an address.
  await page.getByRole('button', { name: 'Deny' }).click();
  await page.getByRole('status').filter({ hasText: 'it may not run' }).waitFor();
  await untilCompleted(suite, 'markup');
  await page.goto(`${suite.service.url}/app/runs/agent-tester-markup`);
  expect(await page.locator('#story').innerText()).toContain('<h1>done</h1>');
  expect(await page.title()).toContain('tester markup');
  // Nothing is wider than the window.
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
});

test.each(['light', 'dark'] as const)(
  'no page has a fault that axe finds, when it is %s',
  async (scheme) => {
    await askToSpend(suite, `axe-${scheme}`);
    suite.system.counter.drop(`send:axe-${scheme}`);
    const input = script(calls(['send', { label: `axe-${scheme}` }]), { say: 'ok' });
    await suite.start(`"axe-sent-${scheme}"`, { input });
    await untilAsked(suite, `axe-sent-${scheme}`);
    const { record, key } = await suite.keys.keys.create({
      tenant: 'default',
      scopes: ['admin'],
      name: 'gil',
    });
    // Axe is put into the page, which its policy would refuse.
    const context = await browser.newContext({ colorScheme: scheme, bypassCSP: true });
    const page = await context.newPage();
    await page.goto(`${suite.service.url}/app/inbox`);
    expect(await violations(page)).toEqual([]);
    await signIn({ key, prefix: record.prefix, context, page });
    for (const path of [
      '/app/inbox',
      '/app/decided',
      '/app/runs',
      '/app/start',
      `/app/runs/agent-tester-axe-${scheme}/questions/t1.c0`,
      `/app/runs/agent-tester-axe-sent-${scheme}`,
      '/app/runs/agent-tester-nobody',
    ]) {
      await page.goto(suite.service.url + path);
      expect([path, await violations(page)]).toEqual([path, []]);
    }
    await context.close();
  },
);

test('whoever signs out is out, and a key that is revoked too', async () => {
  const hal = await somebody('hal', ['read']);
  await signIn(hal);
  const { page } = hal;
  // Who may only look is told the commands, and can copy them.
  await suite.start('"busy"', { input: script(calls(['endless', {}])) });
  await page.goto(`${suite.service.url}/app/runs/agent-tester-busy`);
  await page.getByRole('button', { name: 'Copy' }).first().click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  await suite.send('POST', '/v1/runs/agent-tester-busy/cancel');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('API key').waitFor();
  await page.goto(`${suite.service.url}/app/runs`);
  await page.getByLabel('API key').waitFor();
  await signIn(hal, '/app/runs');
  await suite.keys.keys.revoke(hal.prefix);
  await page.reload();
  expect(await page.getByRole('alert').innerText()).toContain('was revoked');
  expect(await hal.context.cookies()).toEqual([]);
});

test('no script failed, and the policy of no page refused a part of it', () => {
  expect(complaints).toEqual([]);
});
