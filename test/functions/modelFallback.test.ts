/** Which failures of a model are retried, which lead to the next model, and which to neither. */
import { describe, expect, it } from 'vitest';
import { type GeminiStep, geminiFault } from '../../local/fakes/geminiFaults.ts';
import {
  expectNothingMoved,
  first,
  noFallback,
  repeat,
  replyWith,
  second,
  third,
  useModelFallback,
} from '../support/modelFallback.ts';
import { onePixelPng } from '../support/pictures.ts';
import { getReason, getRefusal } from '../support/replies.ts';
import { virtualClock } from '../support/virtualClock.ts';

const fallback = await useModelFallback();
const { stack, startServer, generate, getCalls, getState } = fallback;

describe('calls the same model again', () => {
  it.each<[string, GeminiStep, number[]]>([
    ['429 per minute, after its RetryInfo', geminiFault.perMinute(1.5), [1_500, 1_500]],
    ['500', geminiFault.internal(), [500, 1_000]],
    ['502', geminiFault.html(502), [500, 1_000]],
    ['503', geminiFault.highDemand(), [500, 1_000]],
    ['504', geminiFault.deadline(), [500, 1_000]],
    ['a connection reset', geminiFault.reset(), [500, 1_000]],
    ['Retry-After', replyWith(503, 'UNAVAILABLE', { 'retry-after': '1' }), [1_000, 1_000]],
    ['Retry-After of a 500', replyWith(500, 'INTERNAL', { 'retry-after': '1' }), [1_000, 1_000]],
    [
      'the longer of Retry-After and RetryInfo',
      { ...geminiFault.perMinute(0.5), headers: { 'retry-after': '1' } },
      [1_000, 1_000],
    ],
    ['a RetryInfo of less than a second', geminiFault.perMinute(0.25), [250, 250]],
  ])('after %s', async (_, step, pauses) => {
    const url = await startServer();
    fallback.gemini.script(step, step);
    const { status, body } = await generate(url);
    expect([status, body.generation?.model]).toEqual([200, first]);
    expect(getCalls()).toEqual(repeat(3, first));
    expect(fallback.time.pauses).toEqual(pauses);
    expect(body.receipt).toMatchObject({ charged: 1, refunded: 0 });
    expect(await getState(first)).toBeUndefined();
  });

  it('after a random part of a span that doubles', async () => {
    for (const random of [0, 0.999]) {
      fallback.time = virtualClock({ random });
      const url = await startServer({ ...noFallback, RETRY_ATTEMPTS: '4' });
      fallback.gemini.always(geminiFault.internal());
      await generate(url);
      expect(fallback.time.pauses).toEqual([1_000, 2_000, 4_000].map((span) => span * random));
    }
  });

  it.each([1, 2, 5])('at most RETRY_ATTEMPTS times: %i calls for each model', async (attempts) => {
    const url = await startServer({ RETRY_ATTEMPTS: String(attempts), RETRY_BASE_DELAY_MS: '10' });
    fallback.gemini.always(geminiFault.internal());
    const reply = await generate(url);
    expect(getRefusal(reply)).toEqual([502, 'PROVIDER_ERROR']);
    expect(getCalls()).toEqual([first, second, third].flatMap((id) => repeat(attempts, id)));
    expect(reply.body.receipt).toMatchObject({ charged: 1, refunded: 1, balance: 10 });
  });
});

describe('calls no model again after', () => {
  it.each<[string, GeminiStep, string]>([
    ['a bad key', geminiFault.badKey(), 'PROVIDER_MISCONFIGURED'],
    ['a bad region', geminiFault.badRegion(), 'PROVIDER_MISCONFIGURED'],
    ['401', replyWith(401, 'UNAUTHENTICATED'), 'PROVIDER_MISCONFIGURED'],
    ['a safety block', geminiFault.noImage('IMAGE_SAFETY'), 'CONTENT_BLOCKED'],
    ['a blocked prompt', geminiFault.promptBlocked('PROHIBITED_CONTENT'), 'CONTENT_BLOCKED'],
    ['an answer without an image', geminiFault.textOnly('No.'), 'NO_IMAGE'],
  ])('%s', async (_, step, reason) => {
    const url = await startServer();
    fallback.gemini.always(step);
    expect(getReason(await generate(url))).toBe(reason);
    expect(getCalls()).toEqual([first]);
    expect(fallback.time.pauses).toEqual([]);
    expect(await getState(first)).toBeUndefined();
  });
});

describe('calls the next model', () => {
  it.each<[string, GeminiStep, string]>([
    ['the daily quota', geminiFault.perDay(), 'daily quota'],
    ['no quota at all', geminiFault.limitZero(), 'billing'],
    ['depleted credits', geminiFault.prepaymentDepleted(), 'billing'],
    ['an unknown model', geminiFault.notFound(first), 'retired'],
    ['a retired one', geminiFault.noLongerAvailable(), 'retired'],
  ])('at once after %s, and stores the state for all servers', async (_, step, reason) => {
    const url = await startServer();
    fallback.gemini.script({ ...step, model: first });
    const { status, body } = await generate(url);
    expect([status, body.generation?.model]).toEqual([200, second]);
    expect(getCalls()).toEqual([first, second]);
    expect(fallback.time.pauses).toEqual([]);
    expect(await getState(first)).toMatchObject({ state: 'exhausted', reason, retryAt: expect.any(Date) });
    expect(await getState(second)).toBeUndefined();
    expect(body.receipt).toMatchObject({ charged: 1, refunded: 0 });
  });

  it.each<[string, GeminiStep]>([
    ['500', geminiFault.internal()],
    ['503', geminiFault.highDemand()],
    ['504', geminiFault.deadline()],
    ['a connection reset', geminiFault.reset()],
    ['429 per minute', geminiFault.perMinute(1)],
  ])('after %s for every allowed attempt', async (_, step) => {
    const url = await startServer();
    fallback.gemini.script(...repeat(3, first).map((model) => ({ ...step, model })));
    expect((await generate(url)).body.generation?.model).toBe(second);
    expect(getCalls()).toEqual([...repeat(3, first), second]);
    expect(await getState(first)).toBeUndefined();
  });

  it('and the one after that, in the configured order', async () => {
    const url = await startServer({ IMAGEGEN_FALLBACK_MODEL_IDS: `${third},${second}` });
    fallback.gemini.script(
      { ...geminiFault.notFound(first), model: first },
      { ...geminiFault.perDay(), model: third },
    );
    expect((await generate(url)).body.generation?.model).toBe(second);
    expect(getCalls()).toEqual([first, third, second]);
  });

  it('at once if the wait is longer than the time left', async () => {
    const url = await startServer();
    fallback.gemini.script({ ...geminiFault.perMinute(60), model: first });
    expect((await generate(url)).body.generation?.model).toBe(second);
    expect([getCalls(), fallback.time.pauses]).toEqual([[first, second], []]);
  });

  it('never after a wait that is longer than what earlier waits have left', async () => {
    const url = await startServer({ IMAGEGEN_FALLBACK_MODEL_IDS: '' });
    const step = { ...geminiFault.perMinute(35), model: first };
    fallback.gemini.script(step, step);
    expect(getReason(await generate(url))).toBe('PROVIDER_QUOTA');
    expect([getCalls(), fallback.time.pauses]).toEqual([[first, first], [35_000]]);
  });

  it('without a back-off that ends after the deadline', async () => {
    const url = await startServer({ RETRY_BASE_DELAY_MS: '60000', GENERATE_TIMEOUT_MS: '20000' });
    fallback.gemini.script({ ...geminiFault.internal(), model: first });
    expect((await generate(url)).body.generation?.model).toBe(second);
    expect([getCalls(), fallback.time.pauses]).toEqual([[first, second], []]);
  });

  it.each([
    [first, undefined, 1248, 832],
    [second, '1K', 1264, 848],
    [third, '1K', 1264, 848],
  ])('and asks %s for the size %s, which gives %i x %i', async (model, imageSize, width, height) => {
    const url = await startServer();
    fallback.gemini.always(undefined);
    const before = [first, second, third].slice(0, [first, second, third].indexOf(model));
    fallback.gemini.script(...before.map((id) => ({ ...geminiFault.notFound(id), model: id })));
    const { body } = await generate(url, { tier: 'premium2' });
    expect(body.generation).toMatchObject({ model, image: { width, height } });
    const request = fallback.gemini.requests.at(-1) as { body: unknown };
    const { generationConfig } = request.body as { generationConfig: { imageConfig: object } };
    expect(generationConfig.imageConfig).toEqual({ aspectRatio: '3:2', ...(imageSize && { imageSize }) });
  });
});

describe('a model that accepts fewer reference images', () => {
  const reference = { mimeType: 'image/png', data: onePixelPng.toString('base64') };
  const references = (count: number) => ({ references: Array.from({ length: count }, () => reference) });
  const order = { IMAGEGEN_MODEL_ID: second, IMAGEGEN_FALLBACK_MODEL_IDS: `${first},${third}` };

  it.each([
    [3, first],
    [4, third],
  ])('is skipped if there are too many: %i go to %s', async (count, generatedBy) => {
    const url = await startServer(order);
    fallback.gemini.script({ ...geminiFault.perDay(), model: second });
    const { status, body } = await generate(url, references(count));
    expect([status, body.generation?.model]).toEqual([200, generatedBy]);
    expect(getCalls()).toEqual([second, generatedBy]);
  });

  it('charges nothing if all others are off', async () => {
    for (const id of [second, third]) await stack.edit(`quota/${id}`, { state: 'off' });
    const url = await startServer(order);
    const user = await stack.newUser();
    const refused = await user.generate('key', references(4), url);
    expect(getRefusal(refused)).toEqual([503, 'PROVIDER_QUOTA']);
    expectNothingMoved(refused, await stack.ledger(user.uid));
    expect((await user.generate('key', references(3), url)).body.generation?.model).toBe(first);
  });
});
