import { Context } from '@temporalio/activity';

/** Activities of an app's own. */
export const activities = {
  /** @param failures attempts that fail, with half of a surrogate pair in their message */
  async spell(name: string, failures: number): Promise<string> {
    const { attempt } = Context.current().info;
    if (attempt <= failures) throw new Error(`attempt ${attempt} failed ${'👋'.slice(0, 1)}`);
    return name.toUpperCase();
  },
};
