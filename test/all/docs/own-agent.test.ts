import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findFreePort } from '../../../src/extras/dev/ports.ts';
import { findTemporalCli } from '../../../src/extras/dev/temporal-cli.ts';
import { newCopy } from '../../../src/extras/template/new-copy.ts';
import { linkPackages } from '../../../src/extras/template/test/link-packages.ts';
import { ROOT } from '../../structure/checkout-copy.ts';
import { eventually } from '../../support/eventually.ts';
import { PROGRAM_NET_MS } from '../../support/nets.ts';
import { within } from '../../support/within.ts';

interface Block {
  /** The page's section. */
  section: string;
  language: string;
  /** Of commands that go on until they are stopped, in a terminal of their own. */
  terminal: boolean;
  text: string;
}

const blocks = [
  ...fs
    .readFileSync(path.join(ROOT, 'docs/own-agent.md'), 'utf8')
    .matchAll(/^## (.+)$|^```(\w+)( terminal)?\n([^]*?)^```$/gm),
].reduce<{ section: string; found: Block[] }>(
  ({ section, found }, [, title, language = '', terminal, text = '']) =>
    title === undefined
      ? {
          section,
          found: [...found, { section, language, terminal: terminal !== undefined, text }],
        }
      : { section: title, found },
  { section: '', found: [] },
).found;

let folder: string;
let copy: string;
let env: NodeJS.ProcessEnv;
let bookings: string;
/** By the command's first words. */
const terminals = new Map<string, ChildProcess>();
let http = '';

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'agent-once-own-agent-'));
  copy = path.join(folder, 'my-agents');
  const port = await findFreePort();
  bookings = `http://127.0.0.1:${port}`;
  // As a person's shell has it: nothing of this run of the tests, and a scripted model.
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:TEST_|JEST_|AGENT_ONCE_|OPENAI_|NODE_|npm_)/.test(name),
  );
  env = {
    ...Object.fromEntries(kept),
    TEMPORAL_CLI: await findTemporalCli(),
    BOOKINGS_URL: bookings,
    PORT: String(port),
  };
});
afterAll(async () => {
  for (const name of terminals.keys()) await stop(name);
  fs.rmSync(folder, { recursive: true, force: true });
});

/** What the page makes with `new`. */
function makeCopy(): void {
  newCopy(ROOT, copy, { extras: ['default', 'service'], example: false });
  linkPackages(copy);
}

/** The page's commands use the ports that `npm run dev` has by default. */
function here(text: string): string {
  return text
    .replaceAll('../agent-once/', `${ROOT}/`)
    .replaceAll('http://127.0.0.1:8088', http)
    .replaceAll('http://127.0.0.1:8091', bookings);
}

async function run(text: string): Promise<string> {
  const child = spawn('sh', ['-ec', here(text)], {
    cwd: copy,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const ended = within(once(child, 'close'), () => `it ended: ${text}\n${output}`, PROGRAM_NET_MS);
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`${text}\nended with ${code}:\n${output}`);
  return output;
}

async function open(text: string): Promise<void> {
  const isDev = text.includes('npm run dev');
  const ports = ['temporal', 'ui', 'postgres', 'model', 'http'].map((part) => `--${part}-port 0`);
  const command = isDev ? `${text.trim()} --silent -- --json ${ports.join(' ')}` : text;
  const name = isDev ? 'dev' : 'bookings';
  await stop(name);
  const child = spawn('sh', ['-ec', command], {
    cwd: copy,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  terminals.set(name, child);
  if (isDev) {
    const [line] = (await within(once(child.stdout, 'data'), () => 'dev was ready')) as [Buffer];
    const stack = JSON.parse(String(line)) as Record<'temporal' | 'ledger' | 'http', string>;
    env = { ...env, TEMPORAL_ADDRESS: stack.temporal, LEDGER_URL: stack.ledger };
    http = stack.http;
  } else await eventually(async () => expect((await fetch(bookings)).status).toBe(200));
}

/** The shell and all that it started, as Ctrl-C does. */
async function stop(name: string): Promise<void> {
  const child = terminals.get(name);
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  process.kill(-child.pid, 'SIGINT');
  await within(closed, () => `${name} stopped`);
}

/** Does what a section says, and returns what its commands wrote. */
async function follow(section: string): Promise<string> {
  const mine = blocks.filter((block) => block.section === section);
  expect(mine).not.toEqual([]);
  let output = '';
  for (const { language, terminal, text } of mine) {
    const [, file] = /^(?:\/\/|--) (\S+)\n/.exec(text) ?? [];
    if (file !== undefined)
      fs.writeFileSync(path.join(copy, file), text.slice(text.indexOf('\n') + 1));
    else if (terminal) await open(text);
    else if (language === 'sh') output += await run(text);
  }
  return output;
}

test('the page, from a new copy to HTTP', async () => {
  expect(blocks.map(({ section }) => section)).toContain('A copy');
  makeCopy();

  const made = await follow('Two tools and an agent');
  expect(made).toContain('wrote src/app/migrations/0001_remember-guest.sql');
  expect(made).toMatch(/\n\d+ passed, 0 failed/);

  await follow('A setting of your own');
  const checked = await follow('What the tool does');
  expect(checked).toMatch(/\n\d+ passed, 0 failed[^]*\n\d+ passed, 0 failed/);

  const first = await follow('A run, with a scripted answer');
  expect(first).toContain('Ada has a table for two.');
  expect(first).toContain('{"requests":1,"booked":1}');

  const second = await follow('A crash at the worst moment');
  expect(second).toContain('Bob has a table for four.');
  expect(second).toContain('{"requests":3,"booked":2}');

  const overHttp = await follow('Over HTTP');
  expect(JSON.parse(overHttp)).toMatchObject({ status: 'completed', result: 'Nothing to book.' });

  expect(await follow('The crash kit')).toContain('Every promise was kept.');
});

test('every section with commands is followed', () => {
  const followed = [
    'A copy',
    'Two tools and an agent',
    'A setting of your own',
    'What the tool does',
    'A run, with a scripted answer',
    'A crash at the worst moment',
    'The crash kit',
    'Over HTTP',
  ];
  expect([...new Set(blocks.map(({ section }) => section))]).toEqual(followed);
});
