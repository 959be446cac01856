/** Without a usable model nobody is charged, and what an operator switched off stays off. */
import { describe, expect, it } from 'vitest';
import { type GeminiStep, geminiFault } from '../../local/fakes/geminiFaults.ts';
import { brokenInvariants } from '../support/invariants.ts';
import {
  expectNothingMoved,
  first,
  image,
  second,
  third,
  useModelFallback,
} from '../support/modelFallback.ts';
import { getReason, getRefusal } from '../support/replies.ts';

const fallback = await useModelFallback();
const { stack, startServer, generate, getCalls, getState } = fallback;

describe('without a usable model', () => {
  it('refunds the first user and charges the next one nothing; both get the earliest Retry-After', async () => {
    const url = await startServer();
    fallback.gemini.script(
      { ...geminiFault.perDay(), model: first },
      { ...geminiFault.limitZero(), model: second },
      { ...geminiFault.notFound(third), model: third },
    );
    const found = await stack.newUser();
    const reply = await found.generate('key', {}, url);
    expect(getRefusal(reply)).toEqual([503, 'PROVIDER_QUOTA']);
    expect(reply.body.receipt).toEqual({ charged: 1, refunded: 1, balance: 10, sequence: 3 });
    expect(getCalls()).toEqual([first, second, third]);
    expect(await brokenInvariants(stack, found.uid)).toEqual([]);

    const next = await stack.newUser();
    const refused = await next.generate('key', {}, url);
    expect(getRefusal(refused)).toEqual([503, 'PROVIDER_QUOTA']);
    expectNothingMoved(refused, await stack.ledger(next.uid));
    expect(getCalls()).toHaveLength(3);
    for (const { headers } of [reply, refused]) {
      const wait = Number(headers.get('retry-after'));
      expect(wait).toBeGreaterThan(5 * 60 - 30);
      expect(wait).toBeLessThanOrEqual(5 * 60);
    }
  });

  it('includes a limit per minute in the earliest Retry-After', async () => {
    const url = await startServer({ IMAGEGEN_FALLBACK_MODEL_IDS: second });
    fallback.gemini.script(
      { ...geminiFault.perMinute(90), model: first },
      { ...geminiFault.perDay(), model: second },
    );
    const reply = await generate(url);
    expect([getReason(reply), reply.headers.get('retry-after')]).toEqual(['PROVIDER_QUOTA', '90']);
  });

  it('answers overload as PROVIDER_OVERLOADED', async () => {
    const url = await startServer();
    fallback.gemini.always(geminiFault.highDemand());
    const reply = await generate(url);
    expect(getRefusal(reply)).toEqual([503, 'PROVIDER_OVERLOADED']);
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    fallback.gemini.always(image);
    expect((await generate(url)).status).toBe(200);
  });

  it('still answers a replay', async () => {
    const url = await startServer();
    const user = await stack.newUser();
    const { body } = await user.generate('key', {}, url);
    await stack.edit('quota/all', { state: 'off' });
    fallback.time.advance(5_000);
    const again = await user.generate('key', {}, url);
    expect([again.status, again.body]).toEqual([200, body]);
  });
});

describe('a model that an operator switched off', () => {
  it('is not called', async () => {
    await stack.edit(`quota/${first}`, { state: 'off' });
    const url = await startServer();
    expect((await generate(url)).body.generation?.model).toBe(second);
    expect(getCalls()).toEqual([second]);
    expect(await getState(first)).toEqual({ state: 'off' });
  });

  it.each([
    ['every model', [first, second, third]],
    ['all', ['all']],
  ])('%s: charges nothing and sends no Retry-After', async (_, ids) => {
    for (const id of ids) await stack.edit(`quota/${id}`, { state: 'off' });
    const url = await startServer();
    const user = await stack.newUser();
    const reply = await user.generate('key', {}, url);
    expect(getRefusal(reply)).toEqual([503, 'PROVIDER_QUOTA']);
    expect(reply.headers.get('retry-after')).toBeNull();
    expectNothingMoved(reply, await stack.ledger(user.uid));
    expect(getCalls()).toEqual([]);
  });

  it.each<[string, GeminiStep]>([
    ['the daily quota', geminiFault.perDay()],
    ['billing', geminiFault.limitZero()],
    ['404', geminiFault.notFound(first)],
    ['success', image],
  ])('stays off if that happened during its call, which ends with %s', async (_, step) => {
    await stack.edit(`quota/${first}`, { state: 'exhausted', reason: 'billing', retryAt: new Date(0) });
    const url = await startServer();
    fallback.gemini.script({ ...step, model: first });
    fallback.duringNextCall = () => stack.edit(`quota/${first}`, { state: 'off' });
    expect((await generate(url)).status).toBe(200);
    expect(getCalls()[0]).toBe(first);
    expect(await getState(first)).toEqual({ state: 'off', reason: 'billing', retryAt: new Date(0) });
  });

  it('stays off if that happened between the read and the write of its state', async () => {
    let commits = 0;
    const url = await startServer(
      {},
      {
        ...stack.database,
        async commit(writes) {
          const isState = writes.some((write) => JSON.stringify(write).includes(`quota/${first}`));
          if (isState && ++commits === 1) await stack.edit(`quota/${first}`, { state: 'off' });
          return stack.database.commit(writes);
        },
      },
    );
    fallback.gemini.script({ ...geminiFault.perDay(), model: first });
    expect((await generate(url)).body.generation?.model).toBe(second);
    expect(commits).toBe(1);
    expect(await getState(first)).toEqual({ state: 'off' });
  });
});
