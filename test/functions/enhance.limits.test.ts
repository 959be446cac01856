/** Improved prompts are free, so they are for known users, within the limits of the day and of the studio's spending. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { systemClock } from '../../shared/core/clock.ts';
import type { Write } from '../../shared/database/database.ts';
import type { Reply } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { watchedDatabase } from '../support/watchedDatabase.ts';

const prompt = 'A banana on the moon';
const [imageGenerator, writer] = ['gemini-2.5-flash-image', 'gemini-3.5-flash-lite'];
const unverified = { email_verified: false };
const anonymous = {
  email: undefined,
  email_verified: undefined,
  firebase: { sign_in_provider: 'anonymous' },
};
/** 12:00 UTC, twelve hours before the limit of the day ends. */
const noon = Date.parse('2031-05-06T12:00:00Z');
const today = '2031-05-06';

let stack: Stack;
let users = 0;
const ends: (() => Promise<void>)[] = [];
beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await Promise.all(ends.map((end) => end()));
  await stack.close();
});
beforeEach(() => {
  stack.gemini.always({ ...geminiFault.blank(), model: imageGenerator });
  stack.gemini.requests.length = 0;
});

/** A server on another day, so that its calls share no limit and no sum with those of other tests. */
async function startServer(env: Record<string, string> = {}, now = noon, database = stack.database) {
  const clock = { ...systemClock, now: () => now };
  const overrides = { clock, database: { ...database, close: async () => {} } };
  const { url, close } = await stack.startServer({ PROMPT_TIMEOUT_MS: '20000', ...env }, overrides);
  ends.unshift(close);
  return url;
}

const newUser = (credits?: number, claims?: object) => stack.user(`user-${++users}`, credits, { ...claims });
const callsOf = (model: string) => stack.gemini.requests.filter((request) => request.model === model).length;
const refusalOf = ({ status, body }: Reply) => [status, body.error?.details[0].reason];
const dayOf = (uid: string) => stack.document(`accounts/${uid}/enhancements/${today}`);
/** The wait, in the header and in the body. */
const waitOf = ({ headers, body }: Reply) => [
  headers.get('retry-after'),
  body.error.details.find((detail: { retryDelay?: string }) => detail.retryDelay)?.retryDelay,
];

describe('enhance refuses, before it calls the model,', () => {
  it.each<[string, number | undefined, object]>([
    ['a user with an unverified address and no account', undefined, unverified],
    ['a user with an unverified address and no credits', 0, unverified],
    ['an anonymous user', undefined, anonymous],
  ])('%s', async (_, credits, claims) => {
    const url = await startServer();
    const user = await newUser(credits, claims);
    const reply = await user.post('enhance', { prompt }, {}, url);
    expect(refusalOf(reply)).toEqual([403, 'EMAIL_NOT_VERIFIED']);
    expect(reply.body.error.status).toBe('PERMISSION_DENIED');
    expect(reply.body.error.details[0].metadata).toEqual({ retry: 'no' });
    expect([callsOf(writer), await dayOf(user.uid)]).toEqual([0, undefined]);
  });

  it.each([
    ['verified', {}],
    ['unverified', unverified],
  ])('a suspended account of a user who is %s', async (_, claims) => {
    const url = await startServer();
    const user = await newUser(0, claims);
    await stack.edit(`accounts/${user.uid}`, { suspended: true });
    const reply = await user.post('enhance', { prompt }, {}, url);
    expect(refusalOf(reply)).toEqual([403, 'ACCOUNT_SUSPENDED']);
    expect([callsOf(writer), await dayOf(user.uid)]).toEqual([0, undefined]);
  });

  it('everybody while an operator has switched all models off', async () => {
    const user = await newUser();
    await stack.edit('quota/all', { state: 'off' });
    const reply = await user.post('enhance', { prompt }, {}, await startServer());
    await stack.erase('quota/all');
    expect(refusalOf(reply)).toEqual([503, 'PROVIDER_QUOTA']);
    expect([callsOf(writer), await dayOf(user.uid)]).toEqual([0, undefined]);
  });

  it('everybody while an operator has switched its model off', async () => {
    const user = await newUser();
    await stack.edit(`quota/${writer}`, { state: 'off' });
    const reply = await user.post('enhance', { prompt }, {}, await startServer());
    await stack.erase(`quota/${writer}`);
    expect(refusalOf(reply)).toEqual([503, 'PROVIDER_QUOTA']);
    expect([callsOf(writer), await dayOf(user.uid)]).toEqual([0, undefined]);
  });

  it('everybody past the spend ceiling', async () => {
    const user = await newUser();
    const reply = await user.post(
      'enhance',
      { prompt },
      {},
      await startServer({ MAX_SPEND_PER_DAY_USD: '0' }),
    );
    expect([...refusalOf(reply), ...waitOf(reply)]).toEqual([503, 'SPEND_CEILING', '43200', '43200s']);
    expect([callsOf(writer), await dayOf(user.uid)]).toEqual([0, undefined]);
  });
});

describe('enhance answers', () => {
  it.each<[string, Record<string, unknown>]>([
    ['credits', { balance: 1 }],
    ["an admin's addition that is not recorded yet", { balance: 0, adjust: 5 }],
  ])('an unverified user with %s', async (_, fields) => {
    const user = await newUser(undefined, unverified);
    await stack.edit(`accounts/${user.uid}`, fields);
    const { status, body } = await user.post('enhance', { prompt }, {}, await startServer());
    expect([status, body.enhanced]).toEqual([200, true]);
  });

  it('a verified user who has no account, and creates none', async () => {
    const user = await newUser();
    const { status, body } = await user.post('enhance', { prompt }, {}, await startServer());
    expect([status, body.enhanced]).toEqual([200, true]);
    expect(await stack.document(`accounts/${user.uid}`)).toBeUndefined();
  });

  it('even if its cost cannot be stored', async () => {
    const { database, hooks } = watchedDatabase(stack.database);
    const url = await startServer({}, noon, database);
    const user = await newUser();
    hooks.beforeCommit = (writes: readonly Write[]) => {
      // google.rpc.Code PERMISSION_DENIED, which is not retried.
      if (writes.some((write) => 'update' in write)) throw Object.assign(new Error('7'), { code: 7 });
    };
    const { status, body } = await user.post('enhance', { prompt }, {}, url);
    expect([status, body.enhanced]).toEqual([200, true]);
    expect(await dayOf(user.uid)).toMatchObject({ count: 1, providerCostMicros: 0 });
    expect(stack.logs.filter(({ event }) => event === 'enhancement_cost_lost')).toMatchObject([
      { uid: user.uid },
    ]);
  });
});

describe('the limit of the day', () => {
  const limit = { MAX_ENHANCE_PER_DAY_PER_USER: '3' };

  it('is shared by all instances, however many calls come at once', async () => {
    const urls = [await startServer(limit), await startServer(limit)];
    const user = await newUser();
    const calls = Array.from({ length: 10 }, (_, i) => user.post('enhance', { prompt }, {}, urls[i % 2]));
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(3);
    expect(statuses.filter((status) => status === 429)).toHaveLength(7);
    expect(callsOf(writer)).toBe(3);
    expect(await dayOf(user.uid)).toMatchObject({ count: 3 });
  });

  it('ends at midnight UTC, and the refusal says so', async () => {
    const user = await newUser();
    const url = await startServer({ MAX_ENHANCE_PER_DAY_PER_USER: '0' });
    const reply = await user.post('enhance', { prompt }, {}, url);
    expect([...refusalOf(reply), ...waitOf(reply)]).toEqual([429, 'RATE_LIMITED', '43200', '43200s']);
    expect(reply.body.error.details[0].metadata).toEqual({
      limit: 'maxEnhancePerDayPerUser',
      retry: 'same_key',
    });

    const one = { MAX_ENHANCE_PER_DAY_PER_USER: '1' };
    const beforeMidnight = await startServer(one, Date.parse('2031-05-07T23:59:59.999Z'));
    const afterMidnight = await startServer(one, Date.parse('2031-05-08T00:00:00Z'));
    const statuses: number[] = [];
    for (const at of [beforeMidnight, beforeMidnight, afterMidnight]) {
      statuses.push((await user.post('enhance', { prompt }, {}, at)).status);
    }
    expect(statuses).toEqual([200, 429, 200]);
  });

  it('belongs to each user alone', async () => {
    const url = await startServer({ MAX_ENHANCE_PER_DAY_PER_USER: '1' });
    for (let i = 0; i < 2; i += 1) {
      expect((await (await newUser()).post('enhance', { prompt }, {}, url)).status).toBe(200);
    }
  });

  it('counts answers that are no better prompt', async () => {
    const url = await startServer({ MAX_ENHANCE_PER_DAY_PER_USER: '1' });
    const user = await newUser();
    stack.gemini.script({ ...geminiFault.uselessPrompts.refusal(), model: writer });
    const first = await user.post('enhance', { prompt }, {}, url);
    expect(first.body).toEqual({ prompt, enhanced: false });
    expect(refusalOf(await user.post('enhance', { prompt }, {}, url))).toEqual([429, 'RATE_LIMITED']);
  });

  it('is reached if the console holds text for the count', async () => {
    const user = await newUser();
    await stack.edit(`accounts/${user.uid}/enhancements/${today}`, { count: 'none' });
    const reply = await user.post('enhance', { prompt }, {}, await startServer(limit));
    expect(refusalOf(reply)).toEqual([429, 'RATE_LIMITED']);
    const path = `accounts/${user.uid}/enhancements/${today}`;
    expect(stack.logs.filter((line) => line.event === 'document_invalid')).toMatchObject([{ path }]);
  });

  it("counts the calls of generate, which goes on with the user's own prompt past it", async () => {
    const url = await startServer({ MAX_ENHANCE_PER_DAY_PER_USER: '1' });
    const user = await newUser(10);
    const first = await user.generate('one', { prompt, enhance: true }, url);
    expect(first.body.generation.enhancedPrompt).toMatch(/^A banana on the moon, in/);
    const second = await user.generate('two', { prompt, enhance: true }, url);
    expect([second.status, second.body.generation.enhancedPrompt]).toEqual([200, null]);
    expect(refusalOf(await user.post('enhance', { prompt }, {}, url))).toEqual([429, 'RATE_LIMITED']);
    expect([callsOf(writer), callsOf(imageGenerator)]).toEqual([1, 2]);
  });

  it("leaves generate the user's own prompt if a call cannot be counted", async () => {
    const { database, hooks } = watchedDatabase(stack.database);
    const url = await startServer({}, noon, database);
    const user = await newUser(10);
    hooks.beforeRead = (paths) => {
      if (paths.some((path) => path.includes('/enhancements/')))
        throw Object.assign(new Error('7'), { code: 7 });
    };
    const { status, body } = await user.generate('key', { prompt, enhance: true }, url);
    expect([status, body.generation.enhancedPrompt]).toEqual([200, null]);
    expect(callsOf(writer)).toBe(0);
  });
});
