/** The state of the models is shared by all servers, and costs no round trip of its own. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { countingDatabase } from '../support/countingDatabase.ts';
import { first, image, repeat, second, startModelFallback } from '../support/modelFallback.ts';

const fallback = await startModelFallback();
const { stack, startServer, generate, getCalls, getState } = fallback;

beforeEach(fallback.reset);
afterEach(fallback.end);
afterAll(() => stack.close());

describe('what is known of the models', () => {
  it('is shared: what one server has learnt, another does not ask for', async () => {
    const url = await startServer();
    fallback.gemini.script({ ...geminiFault.perDay(), model: first });
    await generate(url);
    const other = await startServer();
    expect((await generate(other)).body.generation?.model).toBe(second);
    expect(getCalls()).toEqual([first, second, second]);
  });

  it('is at most 5 s old, and what was known already is not written again', async () => {
    const [url, other] = [await startServer(), await startServer()];
    await generate(other);
    fallback.gemini.script(
      { ...geminiFault.perDay(), model: first },
      { ...geminiFault.perDay(), model: first },
    );
    await generate(url);
    const written = await getState(first);
    fallback.time.advance(4_999);
    expect((await generate(other)).body.generation?.model).toBe(second);
    expect(getCalls()).toEqual([first, first, second, first, second]);
    expect(await getState(first)).toEqual(written);
    fallback.time.advance(1);
    const third = await startServer();
    await generate(third);
    await generate(other);
    expect(getCalls().slice(5)).toEqual([second, second]);
  });

  it('is read once by twenty first requests at once, once again after 5 s, and in the round trip of the hold', async () => {
    const quotaReads: number[] = [];
    const counted = countingDatabase({
      ...stack.database,
      async read(paths) {
        const count = paths.filter((path) => path.startsWith('quota/')).length;
        if (count > 0) quotaReads.push(count);
        return stack.database.read(paths);
      },
    });
    const url = await startServer({ MAX_IN_FLIGHT_PER_USER: '100' }, counted.database);
    const many = await Promise.all(Array.from({ length: 20 }, () => stack.newUser()));
    const replies = await Promise.all(many.map((user) => user.generate('key', {}, url)));
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
    expect(quotaReads).toEqual([4]);

    const user = await stack.newUser();
    await user.generate('first', {}, url);
    for (const [key, advance, reads] of [
      ['a', 0, 1],
      ['b', 4_999, 1],
      ['c', 1, 2],
      ['d', 4_999, 2],
    ] as const) {
      fallback.time.advance(advance);
      counted.reset();
      expect((await user.generate(key, {}, url)).status).toBe(200);
      expect(counted.trips).toEqual(['read', 'commit', 'commit']);
      expect(quotaReads).toHaveLength(reads);
    }
    expect(await getState(first)).toBeUndefined();
  });

  it('of a limit per minute stays in the instance, and is over when the minute is', async () => {
    const url = await startServer();
    fallback.gemini.script({ ...geminiFault.perMinute(60), model: first });
    await generate(url);
    expect(await getState(first)).toBeUndefined();
    fallback.time.advance(59_999);
    await generate(url);
    expect(getCalls()).toEqual([first, second, second]);
    await generate(await startServer());
    fallback.time.advance(1);
    await generate(url);
    expect(getCalls()).toEqual([first, second, second, first, first]);
  });

  it('lapses by itself once its time is over, and is ready when it has painted', async () => {
    const url = await startServer();
    await stack.edit(`quota/${first}`, { state: 'exhausted', retryAt: new Date(Date.now() + 3_600_000) });
    await generate(url);
    await stack.edit(`quota/${first}`, { retryAt: new Date(Date.now() - 1) });
    fallback.time.advance(5_000);
    await generate(url);
    expect(getCalls()).toEqual([second, first]);
    const state = await getState(first);
    expect(state).toMatchObject({ state: 'ready' });
    expect(state).not.toHaveProperty('retryAt');
    expect(state).not.toHaveProperty('reason');
  });

  it('is told of once by many who find it out at once, and not undone by one who began before', async () => {
    const writes: string[] = [];
    const url = await startServer(
      { IMAGEGEN_FALLBACK_MODEL_IDS: second },
      {
        ...stack.database,
        async commit(all) {
          writes.push(...all.map((write) => JSON.stringify(write)).filter((text) => text.includes('quota/')));
          return stack.database.commit(all);
        },
      },
    );
    const released = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    fallback.duringNextCall = () => {
      reached.resolve();
      return released.promise;
    };
    const slow = generate(url);
    await reached.promise;
    fallback.gemini.always(geminiFault.perDay());
    fallback.gemini.script(...repeat(5, second).map((model) => ({ ...image, model })));
    const replies = await Promise.all(repeat(5, url).map((each) => generate(each)));
    expect(replies.map(({ body }) => body.generation?.model)).toEqual(repeat(5, second));
    fallback.gemini.always(image);
    released.resolve();
    expect((await slow).body.generation?.model).toBe(first);
    expect(writes).toHaveLength(1);
    expect(await getState(first)).toMatchObject({ state: 'exhausted', reason: 'daily quota' });
  });

  it('is a help only: where it cannot be written, the next model is asked all the same', async () => {
    const url = await startServer(
      {},
      {
        ...stack.database,
        async commit(writes) {
          if (JSON.stringify(writes).includes('quota/')) throw Object.assign(new Error('no'), { code: 7 });
          return stack.database.commit(writes);
        },
      },
    );
    fallback.gemini.script({ ...geminiFault.perDay(), model: first });
    expect((await generate(url)).body.generation?.model).toBe(second);
  });
});
