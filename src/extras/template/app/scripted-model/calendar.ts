import { offeredTools, textOf, type Script, type ScriptReply } from '../../../dev/index.ts';

/**
 * What `npm run dev` answers in a language model's place. The same request must get the same
 * answer. Any agent plays what a run's input spells out, too: `--input-json '{"script":[{"say":"Hello."}]}'`.
 */
export const script: Script = {
  name: 'calendar',
  matches: (request) => offeredTools(request).includes('add_days'),
  reply(request): ScriptReply {
    const last = request.messages.at(-1);
    if (last?.role === 'tool') return { say: answer(textOf(last)) };
    const [, days, date] =
      /(\d+) days after (\d{4}-\d\d-\d\d)/.exec(last ? textOf(last) : '') ?? [];
    if (days === undefined) return { say: 'Ask me which day is 3 days after 2026-02-27.' };
    return { calls: [{ name: 'add_days', arguments: { date: date ?? '', days: Number(days) } }] };
  },
};

function answer(result: string): string {
  const { weekday, date, error } = JSON.parse(result) as Partial<Record<string, string>>;
  return error ?? `That is ${weekday}, ${date}.`;
}
