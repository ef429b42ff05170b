import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { copyCheckout, ROOT } from './checkout-copy.ts';

const SOURCE = `import { z } from 'zod';
import { defineAgent, type AgentDefinition, type AgentOnceClient, type JsonValue } from '../index.ts';

type Same<A, B> = [A, B] extends [B, A] ? true : false;
declare const client: AgentOnceClient;
const said = { name: 'a', description: 'a', instructions: 'a', tools: [] };
const judge = defineAgent({ ...said, output: z.object({ ok: z.boolean(), why: z.string().optional() }) });
const talker = defineAgent(said);
// Agents with and without an output are in one list.
export const agents: readonly AgentDefinition[] = [judge, talker];

const started = await client.start({ agent: judge, input: 1 });
export const ofStart: Same<typeof started.result, { ok: boolean; why?: string | undefined } | null> = true;
const { key } = started;
const ended = await client.result({ agent: judge, key });
export const ofResult: Same<typeof ended.result, typeof started.result> = true;
export const unknown: string | undefined = ended.result?.nothing; // wrong: a member that is not there
const described = await client.describe({ agent: judge, key });
export const number: number = described.result?.ok; // wrong: another type
const byName = await client.result({ agent: 'judge', key });
export const plain: Same<typeof byName.result, JsonValue> = true;
const resumed = await client.resume({ agent: talker, key });
export const text: Same<typeof resumed.result, JsonValue> = true;
await client.cancel({ agent: judge, key });
await client.decide({ agent: judge, key }, { step: 't1.c0', decision: 'approve', by: 'ann' });
await client.start({ agent: 7, input: 1 }); // wrong: no agent
defineAgent({ ...said, output: { ok: true } }); // wrong: no schema
`;

test('a result has the type of the output of the agent that it is asked of', () => {
  const config = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8')) as object;
  const copy = copyCheckout(
    ['package.json', 'src'],
    new Map([
      ['src/app/uses-results.ts', SOURCE],
      ['tsconfig.json', JSON.stringify({ ...config, include: ['src/app/uses-results.ts'] })],
    ]),
  );
  try {
    const { stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['--noEmit'], {
      cwd: copy.folder,
      encoding: 'utf8',
    });
    const complaints = [...stdout.matchAll(/^(src\/\S+)\((\d+),/gm)].map(
      ([, file, line]) => `${file}:${line}`,
    );
    const wrong = SOURCE.split('\n').flatMap((line, at) =>
      line.includes('// wrong') ? `src/app/uses-results.ts:${at + 1}` : [],
    );
    expect([...new Set(complaints)]).toEqual(wrong);
  } finally {
    copy.remove();
  }
});
