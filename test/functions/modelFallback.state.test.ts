/** The state of the models is shared by all servers, and costs no extra round trip. */
import { describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { countingDatabase } from '../support/countingDatabase.ts';
import { first, image, repeat, second, useModelFallback } from '../support/modelFallback.ts';

const fallback = await useModelFallback();
const { stack, startServer, generate, getCalls, getState } = fallback;

describe('the state of the models', () => {
  it('is shared: a server does not call a model that another found exhausted', async () => {
    const url = await startServer();
    fallback.gemini.script({ ...geminiFault.perDay(), model: first });
    await generate(url);
    const other = await startServer();
    expect((await generate(other)).body.generation?.model).toBe(second);
    expect(getCalls()).toEqual([first, second, second]);
  });

  it('is at most 5 s old, and is not written again unchanged', async () => {
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

  it('is read by each of twenty first requests, then once in 5 s, and always in the round trip of the hold', async () => {
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
    expect(quotaReads.length).toBeLessThanOrEqual(20);
    expect(new Set(quotaReads)).toEqual(new Set([4]));
    quotaReads.length = 0;

    const user = await stack.newUser();
    await user.generate('first', {}, url);
    for (const [key, advance, reads] of [
      ['a', 0, 0],
      ['b', 4_999, 0],
      ['c', 1, 1],
      ['d', 4_999, 1],
    ] as const) {
      fallback.time.advance(advance);
      counted.reset();
      expect((await user.generate(key, {}, url)).status).toBe(200);
      expect(counted.trips).toEqual(['read', 'commit', 'commit']);
      expect(quotaReads).toHaveLength(reads);
    }
    fallback.time.advance(5_000);
    await Promise.all(many.map((user) => user.generate('later', {}, url)));
    expect(quotaReads).toHaveLength(2);
    expect(await getState(first)).toBeUndefined();
  });

  it('stays in the instance for a limit per minute, and ends with the minute', async () => {
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

  it('is retried after its time, and is ready once it generated an image', async () => {
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

  it('is written once by concurrent failures, and not reverted by a success that began before them', async () => {
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

  it('may fail to be written: the next model is called all the same', async () => {
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
