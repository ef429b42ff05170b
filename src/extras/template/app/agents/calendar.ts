import { defineAgent } from '../../../../index.ts';
import { addDays } from '../tools/add-days.ts';

/** A first agent, to be replaced by yours. */
export const calendar = defineAgent({
  name: 'calendar',
  description: 'Answers questions about dates.',
  instructions: `You answer questions about dates.
Do not reckon yourself: ask the tool. If it answers with an error, say what it said.
End with one sentence that names the day of the week and the date.`,
  tools: [addDays],
  maxTurns: 5,
});
