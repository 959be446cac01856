/** What tests of allowances share: a stack with a daily allowance of 5 credits, on clocks that the tests set. */
import { expect } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { systemClock } from '../../shared/core/clock.ts';
import type { Database } from '../../shared/database/database.ts';
import { getPeriod } from '../../shared/ledger/allowancePeriod.ts';
import { brokenInvariants } from './invariants.ts';
import { runJob, schedulerEnv } from './scheduler.ts';
import { startStack } from './stack.ts';
import { type Hooks, watchedDatabase } from './watchedDatabase.ts';

export const dayMs = 86_400_000;
/** Tomorrow at noon, so that no real midnight passes during a test. */
export const noon = Math.floor(Date.now() / dayMs) * dayMs + 1.5 * dayMs;
export const getPeriodName = (time: number) => getPeriod('day', new Date(time)).name;
export const today = getPeriodName(noon);

export async function startAllowances() {
  /** The time on the stack's own server, and on the server `other`. */
  const time = { now: noon, other: noon };
  const clock = { ...systemClock, now: () => time.now };
  const env = { ALLOWANCE_CREDITS: '5', ALLOWANCE_PERIOD: 'day', ...schedulerEnv };
  const stack = await startStack(env, { clock });
  stack.gemini.always(geminiFault.blank());
  /** The server that users call. Its database has the same time, so that both find the same period. */
  const database: Database = {
    ...stack.database,
    async read(paths) {
      return { ...(await stack.database.read(paths)), readTime: new Date(time.now) };
    },
  };
  const studio = await stack.startServer({}, { clock, database });
  /** A server without allowances, whose calls leave an allowance to the job. */
  const plain = await stack.startServer({ ALLOWANCE_CREDITS: '' }, { clock });
  /** What happens at reads and commits of the server `other`. */
  const hooks: Hooks = {};
  const other = await stack.startServer(
    {},
    {
      clock: { ...systemClock, now: () => time.other },
      database: watchedDatabase(stack.database, hooks).database,
    },
  );
  const findErrors = () => stack.logs.filter(({ severity }) => severity === 'ERROR');

  return {
    stack,
    time,
    clock,
    hooks,
    other,
    plain,
    studio,
    findErrors,

    /** Calls `refillAllowances`, on another server if `url` names one. */
    async refill(url?: string) {
      const { status, body } = await runJob(stack, 'refillAllowances', url ? { url } : {});
      expect(status).toBe(200);
      return body as { checked: number; refilled: number };
    },

    /** A user with these credits who has used the account. An allowance is still due. */
    async createUser(uid: string, credits: number, fields: Record<string, unknown> = {}) {
      const user = await stack.user(uid, credits);
      expect((await user.get('account', plain.url)).status).toBe(200);
      if (Object.keys(fields).length > 0) await stack.edit(user.path, fields);
      return {
        ...user,
        get: (name: string, url = studio.url) => user.get(name, url),
        generate: (key: string, body: Record<string, unknown> = {}, url = studio.url) =>
          user.generate(key, body, url),
        getAccount: async () => (await user.get('account', studio.url)).body.account,
      };
    },

    /** The allowance entries of an account: id, amount, balance. */
    async getAllowances(uid: string) {
      const { entries } = await stack.ledger(uid);
      return entries
        .filter(({ type }) => type === 'allowance')
        .map(({ id, amount, balance }) => [id, amount, balance]);
    },
    getBalance: async (uid: string) => (await stack.ledger(uid)).account.balance,
    getAllowancePeriod: async (uid: string) => (await stack.ledger(uid)).account.allowancePeriod,

    /** These accounts add up, and no error was logged. */
    async expectSound(...uids: string[]) {
      for (const uid of uids) expect(await brokenInvariants(stack, uid)).toEqual([]);
      expect(findErrors()).toEqual([]);
    },

    /** Empties the database and the log, and sets every clock to noon. */
    async reset() {
      await stack.clear();
      for (const name of Object.keys(hooks)) delete hooks[name as keyof Hooks];
      stack.logs.length = 0;
      Object.assign(time, { now: noon, other: noon });
    },
  };
}
