import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { commandSuite } from '../../../../../test/support/command-suite.ts';
import type { RunView } from '../../../../client/types.ts';
import { onTerminal, runCommand } from '../../../../../test/support/cli.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import { calls, script } from '../../../../../test/support/system.ts';
import { untilEnd } from '../../../../../test/support/until-end.ts';

const { cli, system } = commandSuite();

type Asked = [tool: string, args: { label: string; amount?: number }];

const spend = (label: string): Asked => ['spend', { label, amount: 100 }];
const send = (label: string): Asked => ['send', { label }];

/** A run whose first turn makes calls that wait for a person; a `send` loses its connection. */
async function waitingRun(...asked: Asked[]) {
  const key = `k-${randomUUID()}`;
  for (const [tool, { label }] of asked) {
    if (tool === 'send') system().counter.drop(`send:${label}`);
  }
  const ref = { agent: 'tester', key };
  const input = script(calls(...asked), { say: 'ok' });
  await system().client.start({ ...ref, input });
  await eventually<RunView>(async () => {
    const seen = await system().client.describe(ref);
    if (seen.waiting.length !== asked.length) throw new Error(`The run is ${seen.status}`);
    return seen;
  });
  return { ref, key, input };
}

const endOf = (key: string) => untilEnd(system().client, { agent: 'tester', key });

describe('a run that waits for a person', () => {
  test('says what for, and which command answers it, to whoever waits', async () => {
    const { ref, key, input } = await waitingRun(send('waiters'), spend('waiters'));
    const start = ['start', 'tester', '--key', key, '--input-json', JSON.stringify(input)];
    const shown = await Promise.all([
      cli([...start, '--wait']),
      cli(['result', 'tester', key, '--wait']),
      cli(['result', 'tester', key]),
      cli(['status', 'tester', key]),
    ]);
    expect(shown.map(({ code }) => code)).toEqual([8, 8, 8, 0]);
    for (const { stderr } of shown) {
      expect(stderr).toMatch(/t1\.c0 send waiters · outcome unknown/);
      expect(stderr).toMatch(/Begun by process \d+ on \S+ at 2\d{3}-\S+ .*threw: .*fetch failed/);
      expect(stderr).toContain(`agent-once resolve tester ${key} t1.c0 --did-not-happen`);
      expect(stderr).toMatch(/t1\.c1 spend 100 on waiters · needs approval/);
      expect(stderr).toContain(`agent-once approve tester ${key} t1.c1`);
      expect(stderr).toMatch(/Unless answered by .* \(in 59 min .*: it is denied/);
    }
    expect(shown[3]?.stdout).toMatch(/approval of t1\.c1 spend 100 on waiters, until 2\d{3}-/);
    const json = await cli(['result', 'tester', key, '--wait', '--json']);
    expect(json).toMatchObject({
      code: 8,
      json: {
        status: 'waiting',
        error: { code: 'run.waiting', message: expect.stringContaining('t1.c0 send waiters') },
        waiting: expect.arrayContaining([
          expect.objectContaining({ step: 't1.c0', kind: 'outcome', tool: 'send' }),
          expect.objectContaining({ step: 't1.c1', kind: 'approval', tool: 'spend' }),
        ]),
      },
    });
    await eventually(async () => {
      const listed = await cli(['list', '--status', 'waiting']);
      expect(listed.stdout).toMatch(
        new RegExp(
          `waiting +tester .*${key}\\n(  .*\\n)?  approval of t1\\.c1 spend 100 on waiters`,
        ),
      );
    });
    await system().client.cancel(ref);
  });

  test('ends a batch with exit code 8, which shows the line and its commands', async () => {
    const key = `b-${randomUUID()}`;
    const lines = [script({ say: 'ok' }), script(calls(spend('of-a-batch')), { say: 'ok' })].map(
      (input) => JSON.stringify(input),
    );
    const batch = await runCommand(
      ['start', 'tester', '--batch', '-', '--key', key],
      { ...system().env, TEST_AGENTS: 'of workers' },
      lines.join('\n'),
    );
    expect(batch.code).toBe(8);
    expect(batch.stdout).toMatch(/waiting +1, for a person: line 2/);
    expect(batch.stderr).toMatch(/Line 2 waits for a person/);
    expect(batch.stderr).toContain(`agent-once approve tester ${key}:2 t1.c0`);
    // With nothing behind it that whoever copies it would take for a part of the key.
    expect(batch.stderr).toContain(`start tester --batch=- --key ${key}\n`);
    await system().client.cancel({ agent: 'tester', key: `${key}:2` });
  });
});

/** As whoever is sure: without a terminal there is nobody to ask. */
const answer = (args: string[], more?: Record<string, string>) => cli([...args, '--yes'], more);

describe('who decides is asked first:', () => {
  const ANSWERS = [
    ['approve', [], spend],
    ['deny', [], spend],
    ['resolve', ['--fail'], spend],
    ['resolve', ['--happened'], send],
    ['resolve', ['--did-not-happen'], send],
  ] as const;

  test.each(ANSWERS)('%s %j needs --yes without a terminal', async (name, flags, asked) => {
    const { ref, key } = await waitingRun(asked('unasked'));
    const refused = await cli([name, 'tester', key, ...flags]);
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Nothing was decided.*--yes/),
    });
    expect((await system().client.describe(ref)).waiting).toHaveLength(1);
    expect(await answer([name, 'tester', key, ...flags])).toMatchObject({ code: 0 });
    await endOf(key);
  });

  test.each(ANSWERS)(
    '%s %j asks on a terminal, and takes no for nothing',
    async (name, flags, asked) => {
      const { ref, key } = await waitingRun(asked('asked-first'));
      const env = { ...system().env, TEST_AGENTS: 'of workers' };
      const no = await onTerminal([name, 'tester', key, ...flags], env, 'n\n');
      expect(no.output).toMatch(/\[y\/N\][^]*Not confirmed/);
      expect(no.code).toBe(2);
      expect((await system().client.describe(ref)).waiting).toHaveLength(1);
      expect(await onTerminal([name, 'tester', key, ...flags], env, 'y\n')).toMatchObject({
        code: 0,
      });
      await endOf(key);
    },
  );
});

describe('resolve', () => {
  test('happened, with a result: shows the attempt first, records it once, and says who', async () => {
    const { key } = await waitingRun(send('happened'));
    const args = ['resolve', 'tester', key, '--happened', '--result', '{"id":7}', '--by', 'ann'];
    const first = await answer([...args, '--comment', 'seen in the outbox', '--json']);
    expect(first).toMatchObject({
      code: 0,
      json: { step: 't1.c0', kind: 'outcome', round: 1, outcome: 'recorded', by: 'ann' },
    });
    expect(first.stderr).toMatch(/Begun by process \d+ on .*threw/);
    expect(await endOf(key)).toMatchObject({ status: 'completed', result: 'ok' });
    expect(system().counter.requests('send:happened')).toBe(1);

    // The run has ended: the ledger knows what was said.
    const again = await answer([...args, '--json']);
    expect(again).toMatchObject({ code: 0, json: { outcome: 'repeated', by: 'ann' } });
    expect(await answer(['resolve', 'tester', key, 't1.c0', '--happened'])).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/ann has already decided/),
    });
    expect(await answer(['resolve', 'tester', key, '--fail', '--json'])).toMatchObject({
      code: 3,
      json: { error: { code: 'decision.conflict' } },
    });
    // The same answer, and another result: it says which of the two was not taken.
    expect(await answer([...args.slice(0, 4), '--result', '{"id":8}'])).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/happened. It stays so; the result that you gave was not/),
    });
  });

  test('the name of whoever decided steers no terminal, and is no line of its own, in no message', async () => {
    const by = 'ann\n\u001b[31mrecorded\u202e  t1.c0 · deny, decided by bob';
    const ways = [
      ['approve', 'deny', spend],
      ['deny', 'approve', spend],
      ['resolve', 'resolve', send],
    ] as const;
    for (const [command, other, asked] of ways) {
      const { key } = await waitingRun(asked(`named-${command}`));
      const says = (name: string, flag: string) => [
        name,
        'tester',
        key,
        't1.c0',
        ...(name === 'resolve' ? [flag] : []),
      ];
      const decided = await answer([...says(command, '--happened'), '--by', by, '--comment', by]);
      expect(decided.code).toBe(0);
      expect(await endOf(key)).toMatchObject({ status: 'completed' });
      const shown = [
        decided,
        await answer(says(command, '--happened')),
        await answer(says(other, '--fail')),
        await cli(['explain', 'tester', key]),
      ];
      expect(shown.map(({ code }) => code)).toEqual([0, 0, 3, 0]);
      for (const { stdout, stderr } of shown) {
        expect(`${stdout}${stderr}`).toContain('ann');
        // eslint-disable-next-line no-control-regex
        expect(`${stdout}${stderr}`).not.toMatch(/[\u001b\u202e]|^\S*recorded\S*  t1\.c0 · deny/m);
      }
    }
  });

  test('did not happen: needs --yes where nobody can be asked; then the step runs again', async () => {
    const { key } = await waitingRun(send('did-not'));
    const args = ['resolve', 'tester', key, 't1.c0', '--did-not-happen'];
    expect(await cli(args)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Begun by process[^]*Nothing was decided.*--yes/),
    });
    expect(system().counter.requests('send:did-not')).toBe(1);
    const decided = await answer(args);
    expect(decided.stdout).toMatch(/^recorded +t1\.c0 send did-not · did-not-happen/);
    expect(decided.stderr).toContain(`Decided by ${userInfo().username}`);
    expect(await endOf(key)).toMatchObject({ status: 'completed' });
    expect(system().counter.requests('send:did-not')).toBe(2);
  });

  test('fail: ends the run', async () => {
    const { key } = await waitingRun(send('fails'));
    const decided = await answer(['resolve', 'tester', key, '--fail', '--by', 'ann']);
    expect(decided).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/fail, decided by ann/),
    });
    expect(await endOf(key)).toMatchObject({ error: { code: 'step.outcome_unknown' } });
  });

  test('asks a person at a terminal, and takes no for nothing', async () => {
    const { key } = await waitingRun(send('asked'));
    const env = { ...system().env, TEST_AGENTS: 'of workers' };
    const args = ['resolve', 'tester', key, '--did-not-happen', '--by', 'ann'];
    const no = await onTerminal(args, env, 'n\n');
    expect(no.output).toMatch(/Begun by process[^]*Then it runs again.*\[y\/N\][^]*Not confirmed/);
    expect(no.code).toBe(2);
    expect(await onTerminal(args, env, 'y\n')).toMatchObject({ code: 0 });
    expect(await endOf(key)).toMatchObject({ status: 'completed' });
    expect(system().counter.requests('send:asked')).toBe(2);
  });
});

describe('approve and deny', () => {
  test('approve shows the arguments; the call runs; the same again is one', async () => {
    const { key } = await waitingRun(spend('yes'));
    const args = ['approve', 'tester', key, '--by', 'ann', '--comment', 'fine'];
    const first = await answer(args);
    expect(first.stderr).toMatch(/t1\.c0 spend 100 on yes · needs approval/);
    expect(first.stderr).toContain('arguments: {"label":"yes","amount":100}');
    expect(first).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/approve, decided by ann/),
    });
    expect(await endOf(key)).toMatchObject({ status: 'completed' });
    expect(system().counter.requests('spend:yes')).toBe(1);
    expect(await answer(args)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^repeated +t1\.c0 · approve: ann had decided so/),
    });
    expect(await answer(['deny', 'tester', key])).toMatchObject({ code: 3 });
  });

  test('approve without the ledger: shows what the run knows, and decides', async () => {
    const { key } = await waitingRun(spend('blind'));
    const blind = { LEDGER_URL: 'postgres://postgres@127.0.0.1:1/none' };
    expect(await answer(['approve', 'tester', key], blind)).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/spend 100 on blind.*[^]*cannot be read from here/),
    });
    expect(await endOf(key)).toMatchObject({ status: 'completed' });
    expect(await answer(['approve', 'tester', key], blind)).toMatchObject({ code: 5 });
  });

  test('deny keeps the call from running; resolve --fail ends the run', async () => {
    const [denied, failed] = await Promise.all([waitingRun(spend('no')), waitingRun(spend('end'))]);
    expect(await answer(['deny', 'tester', denied.key, 't1.c0'])).toMatchObject({ code: 0 });
    expect(await endOf(denied.key)).toMatchObject({ status: 'completed' });
    expect(system().counter.requests('spend:no')).toBe(0);
    expect(await answer(['resolve', 'tester', failed.key, '--fail'])).toMatchObject({ code: 0 });
    expect(await endOf(failed.key)).toMatchObject({ error: { code: 'step.not_approved' } });
  });

  test('of several that wait, one has to be named', async () => {
    const { key } = await waitingRun(spend('a'), spend('b'));
    expect(await answer(['approve', 'tester', key])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /approve tester \S+ t1\.c0[^]*t1\.c1[^]*2 steps wait: name one/,
      ),
    });
    expect(await answer(['approve', 'tester', key, 't1.c1'])).toMatchObject({ code: 0 });
    expect(await answer(['deny', 'tester', key])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('t1.c0 spend 100 on a'),
    });
    expect(await endOf(key)).toMatchObject({ status: 'completed' });
    expect(system().counter.requests('spend:b')).toBe(1);
    expect(system().counter.requests('spend:a')).toBe(0);
    // Repeated without a name, it could be either.
    expect(await answer(['approve', 'tester', key])).toMatchObject({ code: 5 });
  });
});

describe('approve with other arguments', () => {
  const paying = async (label: string) => {
    const ref = { agent: 'editor', key: `k-${randomUUID()}` };
    const input = script(calls(['pay', { label, amount: 300 }]), { say: 'ok' });
    await system().client.start({ ...ref, input });
    await eventually(async () => {
      expect((await system().client.describe(ref)).waiting).toMatchObject([{ editable: true }]);
    });
    return ref;
  };

  test('shows both, takes the new ones, and says so; explain has what was asked for', async () => {
    const { key } = await paying('typed');
    const shown = await cli(['status', 'editor', key]);
    expect(shown.stderr).toContain('Its arguments may be changed: --arguments JSON of approve.');
    const changed = JSON.stringify({ label: 'typed', amount: 200 });
    const flags = ['--arguments', changed, '--by', 'ann'];
    const env = { ...system().env, TEST_AGENTS: 'of workers' };
    const no = await onTerminal(['approve', 'editor', key, ...flags], env, 'n\n');
    expect(no.output).toMatch(/arguments: .*300[^]*to run instead with: .*200[^]*\[y\/N\]/);
    expect(await answer(['approve', 'editor', key, ...flags])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/recorded .*approve with other arguments, decided by ann/),
    });
    await untilEnd(system().client, { agent: 'editor', key });
    expect(system().counter.requests('pay:typed:200')).toBe(1);
    expect(system().counter.requests('pay:typed:300')).toBe(0);

    // The run has ended by now: the ledger says what stands.
    expect(await answer(['approve', 'editor', key, 't1.c0', ...flags])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('repeated'),
    });
    for (const other of [[], ['--arguments', '{"label":"typed","amount":1}']]) {
      expect(await answer(['approve', 'editor', key, 't1.c0', ...other])).toMatchObject({
        code: 3,
        stderr: expect.stringContaining(`approve, with these arguments: ${changed}`),
      });
    }

    const told = await cli(['explain', 'editor', key]);
    expect(told.stdout).toContain('300 EUR to typed (changed)');
    expect(told.stdout).toMatch(/answered at \S+ by ann: it may run, with other arguments/);
    expect(told.stdout).toContain(
      'arguments that the model asked for: {"label":"typed","amount":300}',
    );
    expect(told.stdout).toContain(`arguments that ann approved instead: ${changed}`);
    const { json } = await cli(['explain', 'editor', key, '--json']);
    expect(json).toMatchObject({
      steps: [
        {},
        {
          id: 't1.c0',
          edited: {
            asked: { label: 'typed', amount: 300 },
            approved: { label: 'typed', amount: 200 },
            by: 'ann',
          },
        },
        {},
      ],
      questions: [{ decision: 'approve', edited: true }],
    });
  });

  test('takes them from a file and from standard input', async () => {
    const { key } = await paying('piped');
    const result = await runCommand(
      ['approve', 'editor', key, '--arguments-file', '-', '--yes', '--json'],
      { ...system().env, TEST_AGENTS: 'of workers' },
      '{ "label": "piped", "amount": 200 }\n',
    );
    expect(JSON.parse(result.stdout)).toMatchObject({
      outcome: 'recorded',
      approved: '{"label":"piped","amount":200}',
    });
    await untilEnd(system().client, { agent: 'editor', key });
    expect(system().counter.requests('pay:piped:200')).toBe(1);
  });

  test.each([
    [['--arguments', 'two hundred'], /--arguments takes JSON/],
    [['--arguments', '{"label":"wrong","amount":"200"}'], /amount[^]*Nothing was decided/],
    [['--arguments', '{}', '--arguments-file', 'x'], /cannot be used with/],
    [['--arguments-file', '/no/such/file'], /cannot be read/],
  ])('%j is refused', async (flags, message) => {
    const ref = await paying('wrong');
    expect(await answer(['approve', 'editor', ref.key, ...flags])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(message),
    });
    expect(await system().client.describe(ref)).toMatchObject({ status: 'waiting' });
    await system().client.cancel(ref);
  });
});

describe('is refused, and changes nothing:', () => {
  test('an answer of another kind, a step that does not wait, a run that there is not', async () => {
    const { ref, key } = await waitingRun(spend('refused'));
    expect(await answer(['resolve', 'tester', key, '--happened'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/t1\.c0 waits for an approval.*agent-once approve tester/),
    });
    expect(await answer(['approve', 'tester', key, 't9.c9', '--json'])).toMatchObject({
      code: 5,
      json: { error: { code: 'decision.not_asked', message: expect.stringContaining('t9.c9') } },
    });
    expect(await answer(['approve', 'tester', 'no-such-key'])).toMatchObject({ code: 5 });
    expect(await system().client.describe(ref)).toMatchObject({ status: 'waiting' });
    await system().client.cancel(ref);
    await endOf(key);
    expect(await answer(['approve', 'tester', key])).toMatchObject({
      code: 5,
      stderr: expect.stringMatching(/has ended.*agent-once resume tester/),
    });
  });

  test.each([
    ['no answer', [], /--happened, --did-not-happen or --fail/],
    ['two answers', ['--happened', '--fail'], /cannot be used with/],
    ['a result of what did not happen', ['--fail', '--result', '1'], /--result is for --happened/],
    ['a result that is not JSON', ['--happened', '--result', 'sent'], /--result takes JSON/],
    ['nobody', ['--happened', '--by', ' '], /needs a name/],
  ])('%s', async (_what, flags, message) => {
    const { ref, key } = wrong;
    expect(await answer(['resolve', 'tester', key, ...flags])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(message),
    });
    expect(await system().client.describe(ref)).toMatchObject({ status: 'waiting' });
  });

  let wrong: Awaited<ReturnType<typeof waitingRun>>;
  beforeAll(async () => {
    wrong = await waitingRun(send('wrong'));
  });
  afterAll(() => system().client.cancel(wrong.ref));
});
