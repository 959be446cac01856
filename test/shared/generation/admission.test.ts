/** A large call that its account cannot pay for is refused before its body is read, and never instead of a replay. */
import { describe, expect, it } from 'vitest';
import { largeRefusalLimit } from '../../../shared/core/rateLimit.ts';
import { createMemoryStudio, createMemoryWorld, toOutcome } from '../../support/memoryStudio.ts';
import { onePixelPng } from '../../support/pictures.ts';

/** A body of more than a megabyte. Bytes after the end of an image are ignored. */
const large = {
  references: [
    {
      mimeType: 'image/png',
      data: Buffer.concat([onePixelPng, Buffer.alloc(900_000)]).toString('base64'),
    },
  ],
};
/** As large, and not valid: an answer other than 400 came before the body was read. */
const unreadable = { ...large, unknown: true };

function start(env: Record<string, string> = {}) {
  const world = createMemoryWorld();
  const studio = createMemoryStudio({ world, env: { SIGNUP_CREDITS: '1', ...env } });
  return {
    ...studio,
    world,
    edit(data: object) {
      const [document] = world.store.read(['accounts/ann']).documents;
      world.store.commit([{ set: 'accounts/ann', data: { ...document?.data, ...data } }]);
    },
  };
}

/** A studio whose user has spent all credits with the key `first`. */
async function startWithoutCredits(env: Record<string, string> = {}) {
  const studio = start(env);
  expect((await studio.generate('first', large)).status).toBe(200);
  return studio;
}

describe('refuses before the body is read', () => {
  it('a user without credits, and writes nothing', async () => {
    const studio = await startWithoutCredits();
    const before = studio.account();
    const refused = await studio.generate('k', unreadable);
    expect(toOutcome(refused)).toEqual([402, 'INSUFFICIENT_CREDITS']);
    expect(refused.body.error.details[0]?.metadata).toEqual({ required: '1', balance: '0', retry: 'no' });
    expect(studio.account()).toEqual(before);
    expect(studio.documents('accounts/ann/generations')).toHaveLength(1);
  });

  it('a user with fewer credits than the cheapest image takes', async () => {
    const studio = start({ TIER_CREDITS: 'standard=3,premium2=4,premium4=5', SIGNUP_CREDITS: '3' });
    await studio.generate('first');
    studio.edit({ balance: 2 });
    expect(toOutcome(await studio.generate('k', unreadable))).toEqual([402, 'INSUFFICIENT_CREDITS']);
    studio.edit({ balance: 3 });
    expect(toOutcome(await studio.generate('k', unreadable))).toEqual([400, 'INVALID_REQUEST']);
  });

  it('a suspended account', async () => {
    const studio = start();
    await studio.generate('first');
    studio.edit({ suspended: true, balance: 10 });
    expect(toOutcome(await studio.generate('k', unreadable))).toEqual([403, 'ACCOUNT_SUSPENDED']);
  });

  it('a user who has not accepted the terms', async () => {
    const studio = start({ TERMS_VERSION: '1' });
    await studio.call('account');
    expect(toOutcome(await studio.generate('k', unreadable))).toEqual([403, 'TERMS_NOT_ACCEPTED']);
    await studio.call('acceptTerms', { version: '1' });
    expect((await studio.generate('k', large)).status).toBe(200);
  });

  it('an account that only an admin can correct', async () => {
    const studio = start();
    await studio.generate('first');
    studio.edit({ balance: 'ten' });
    expect(toOutcome(await studio.generate('k', unreadable))).toEqual([409, 'ACCOUNT_INVALID']);
  });

  it('a user over the limit of a minute, until it has passed', async () => {
    const studio = start({ SIGNUP_CREDITS: '9', MAX_PER_MINUTE_PER_USER: '1' });
    await studio.generate('first');
    const refused = await studio.generate('k', unreadable);
    expect(toOutcome(refused)).toEqual([429, 'RATE_LIMITED']);
    expect(refused.body.error.details[0]?.metadata.limit).toBe('maxPerMinutePerUser');
    studio.world.advance(60_000);
    expect((await studio.generate('k', large)).status).toBe(200);
  });

  it('a user with too many generations in flight; finished ones do not count', async () => {
    const studio = start({ SIGNUP_CREDITS: '9', MAX_IN_FLIGHT_PER_USER: '1' });
    await studio.generate('first');
    expect((await studio.generate('second', large)).status).toBe(200);
    const [generation] = studio.documents('accounts/ann/generations');
    const active = { running: new Date(studio.world.clock.now() + 100_000) };
    studio.world.store.commit([
      { set: 'accounts/ann/generations/running', data: { ...generation, status: 'pending' } },
    ]);
    studio.edit({ active });
    const refused = await studio.generate('k', unreadable);
    expect(refused.body.error.details[0]).toMatchObject({
      reason: 'RATE_LIMITED',
      metadata: { limit: 'maxInFlightPerUser' },
    });
  });

  it('a call without a valid Idempotency-Key', async () => {
    const studio = start();
    const refused = await studio.generate('\u00fc', unreadable);
    expect(refused.body.error.message).toBe('Idempotency-Key must be printable ASCII.');
  });
});

describe('does not refuse', () => {
  it('a key that was used before: the stored answer, the failure or the conflict is repeated', async () => {
    const studio = await startWithoutCredits();
    const replay = await studio.generate('first', large);
    expect([replay.status, replay.body.receipt]).toEqual([200, expect.objectContaining({ charged: 1 })]);
    const other = { references: [...large.references, ...large.references] };
    expect(toOutcome(await studio.generate('first', other))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    studio.edit({ suspended: true });
    expect((await studio.generate('first', large)).status).toBe(200);
  });

  it('a key whose generation an admin deleted', async () => {
    const studio = await startWithoutCredits();
    const path = `accounts/ann/generations/${(await studio.generate('first', large)).body.generation.id}`;
    studio.world.store.commit([{ delete: path }]);
    expect(toOutcome(await studio.generate('first', unreadable))).toEqual([400, 'INVALID_REQUEST']);
  });

  it('the first call of a user, who gets the signup credits by it', async () => {
    const studio = start();
    expect((await studio.generate('first', large)).body.receipt).toMatchObject({ charged: 1, balance: 0 });
  });

  it('a user to whom an admin has just added credits', async () => {
    const studio = await startWithoutCredits();
    studio.edit({ adjust: 1 });
    expect((await studio.generate('k', large)).status).toBe(200);
  });

  it('an image from the cache, which costs nothing', async () => {
    const cache = { CACHE_TTL_SECONDS: '1000', MAX_PER_MINUTE_PER_USER: '1' };
    const studio = await startWithoutCredits(cache);
    expect((await studio.generate('k', large)).body.generation.cached).toBe(true);
    studio.edit({ suspended: true });
    expect(toOutcome(await studio.generate('l', unreadable))).toEqual([403, 'ACCOUNT_SUSPENDED']);
  });

  it('a small body, for which nothing more is read', async () => {
    const studio = await startWithoutCredits();
    expect(toOutcome(await studio.generate('k', { unknown: true }))).toEqual([400, 'INVALID_REQUEST']);
  });
});

it('refuses 60 such calls a minute, then 429; none of them counts as a hold, and a replay is still answered', async () => {
  expect(largeRefusalLimit).toEqual({ name: 'largeRefusalsPerMinute', callsPerMinute: 60 });
  const studio = await startWithoutCredits({ MAX_PER_MINUTE_PER_USER: '2' });
  for (let i = 0; i < 60; i += 1) {
    expect(toOutcome(await studio.generate(`k${i}`, unreadable))).toEqual([402, 'INSUFFICIENT_CREDITS']);
  }
  const refused = await studio.generate('k', unreadable);
  expect(refused.body.error.details[0]).toMatchObject({
    reason: 'RATE_LIMITED',
    metadata: { limit: 'largeRefusalsPerMinute', retry: 'same_key' },
  });
  expect((await studio.generate('first', large)).status).toBe(200);
  expect(studio.account()?.rate).toHaveLength(1);
  studio.edit({ balance: 1 });
  expect((await studio.generate('k', large)).status).toBe(200);
});
