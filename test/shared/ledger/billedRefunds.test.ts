/** The limit of refunds an hour that somebody else has to pay for. */
import { describe, expect, it } from 'vitest';
import type { Data } from '../../../shared/database/database.ts';
import { Failure } from '../../../shared/errors.ts';
import { refundCredits, toWrites } from '../../../shared/ledger/creditChanges.ts';
import { refuseHold } from '../../../shared/ledger/refusals.ts';
import { createMemoryStudio, createMemoryWorld, toOutcome } from '../../support/memoryStudio.ts';
import { account, now, seconds, terms } from './exampleAccount.ts';

const params = terms({
  limits: { maxInFlightPerUser: 9, maxPerMinutePerUser: 9, maxRefundsPerHourPerUser: 2 },
});
const refusalWith = (billedRefunds: unknown) => refuseHold(account({ billedRefunds }), params);

describe('a hold', () => {
  it('is refused after as many billed refunds as are allowed in an hour, until the oldest is an hour old', () => {
    const refusal = refusalWith([seconds(-3_000), seconds(-10)]);
    expect(refusal).toMatchObject({
      reason: 'RATE_LIMITED',
      details: { metadata: { limit: 'maxRefundsPerHourPerUser' }, retryAfterSeconds: 600 },
    });
  });

  it.each([
    ['none', undefined],
    ['one fewer', [seconds(-1)]],
    ['one that is an hour old', [seconds(-3_600), seconds(-1)]],
    ['what an admin typed in their place', 'none'],
    ['what is no time', [1, 'x', null]],
    ['times that are still to come', [seconds(60), seconds(31_536_000)]],
  ])('is not refused with %s', (_, billedRefunds) => {
    expect(refusalWith(billedRefunds)).toBeUndefined();
  });

  it('that the limit was lowered for waits for the one that brings it under', () => {
    const refusal = refusalWith([seconds(-3_500), seconds(-2_000), seconds(-1_000)]);
    expect(refusal?.details.retryAfterSeconds).toBe(1_600);
  });
});

describe('a refund', () => {
  const refund = (billed: boolean, data: Data = {}) => {
    const before = account(data);
    const change = refundCredits(before, { generationId: 'g', credits: 1, reason: 'NO_IMAGE', billed, now });
    const [update] = toWrites(before, change, now);
    return update && 'data' in update ? update.data : undefined;
  };

  it('that the provider bills is counted, and those of more than an hour ago are forgotten', () => {
    const old = [seconds(-3_601), seconds(-3_600), seconds(-30)];
    expect(refund(true)).toMatchObject({ billedRefunds: [now] });
    expect(refund(true, { billedRefunds: old })).toMatchObject({ billedRefunds: [seconds(-30), now] });
  });

  it('that costs nobody anything is not counted', () => {
    expect(refund(false, { billedRefunds: [seconds(-1)] })).not.toHaveProperty('billedRefunds');
  });
});

describe('an account', () => {
  const env = { MAX_REFUNDS_PER_HOUR_PER_USER: '2' };
  const failing = (providerCostMicros: number) => async () => {
    throw new Failure('NO_IMAGE', 'There is no image.', { providerCostMicros });
  };

  it('whose failed images were billed waits until fewer of them are within the hour', async () => {
    const world = createMemoryWorld();
    const studio = createMemoryStudio({ world, env, imageGenerator: failing(39_000) });
    for (const key of ['a', 'b']) {
      expect(toOutcome(await studio.generate(key))).toEqual([502, 'NO_IMAGE']);
      world.advance(60_000);
    }
    const refused = await studio.generate('c');
    expect(toOutcome(refused)).toEqual([429, 'RATE_LIMITED']);
    expect(refused.body.error.details[0]?.metadata.limit).toBe('maxRefundsPerHourPerUser');
    expect(studio.generated()).toBe(2);
    world.advance(3_600_000 - 120_000);
    expect(toOutcome(await studio.generate('c'))).toEqual([502, 'NO_IMAGE']);
  });

  it('whose failed images cost nothing may go on', async () => {
    const studio = createMemoryStudio({ env, imageGenerator: failing(0) });
    for (const key of ['a', 'b', 'c'])
      expect(toOutcome(await studio.generate(key))).toEqual([502, 'NO_IMAGE']);
  });

  it('whose worker died is counted: nobody knows what it has cost', async () => {
    const world = createMemoryWorld();
    const dying = createMemoryStudio({ world, env, imageGenerator: () => new Promise(() => {}) });
    for (const key of ['a', 'b']) void dying.generate(key);
    await expect.poll(dying.generated).toBe(2);
    world.advance(200_000);
    const studio = createMemoryStudio({ world, env });
    for (const key of ['a', 'b']) expect(toOutcome(await studio.generate(key))).toEqual([410, 'EXPIRED']);
    expect(toOutcome(await studio.generate('c'))).toEqual([429, 'RATE_LIMITED']);
  });
});
