/** The overview: the sums of a period, made of what happened in the functions. */
import { describe, expect, it } from 'vitest';
import { overviewAnswerSchema } from '../../../shared/contract.ts';
import { Failure } from '../../../shared/errors.ts';
import { tokens } from '../../simulation/instance.ts';
import { createMemoryStudio, createMemoryWorld, image } from '../../support/memoryStudio.ts';

const dayMs = 86_400_000;
const startsAt = '2026-01-01T00:00:00.000Z';

function createStudio() {
  const world = createMemoryWorld();
  let failure: Failure | undefined;
  const studio = createMemoryStudio({
    world,
    async imageGenerator() {
      if (failure) throw failure;
      return image();
    },
  });
  return {
    ...studio,
    world,
    failWith: (next: Failure | undefined) => {
      failure = next;
    },
    async overview(query: Record<string, string> = {}) {
      const { status, body } = await studio.get('adminOverview', query, tokens.admin('root'));
      return { status, body: status === 200 ? overviewAnswerSchema.parse(body) : body };
    },
  };
}

const purchase = (currency: string, amount: number, createdAt: Date) => ({
  ...{ pack: 'starter', credits: 100, amount, tax: 0, currency, paymentIntent: 'pi_1', claim: 0 },
  ...{ refunds: {}, disputes: {}, createdAt, updatedAt: createdAt },
});

describe('the overview', () => {
  it('sums credits, images, failures and costs, in all and for each day', async () => {
    const { generate, call, overview, failWith, world, runJob, ...studio } = createStudio();
    await generate('a', { tier: 'premium2' });
    const { body } = await generate('b');
    await call('deleteGeneration', { id: body.generation.id });
    await world.advance(dayMs);
    failWith(new Failure('CONTENT_BLOCKED', 'No.', { metadata: { finishReason: 'SAFETY' } }));
    await generate('c', { tier: 'premium4' });
    failWith(new Failure('NO_IMAGE', 'No.'));
    await generate('d');
    await generate('e');
    failWith(undefined);
    await call(
      'grant',
      { uid: 'ann', amount: 7, reason: 'a present' },
      { key: 'g', as: tokens.admin('root') },
    );
    studio.edit('accounts/ann', { adjust: -4 });
    await runJob('reconcile');
    await world.advance(1_000);

    const { body: sums } = await overview();
    expect(sums).toMatchObject({
      from: '2025-12-03T00:00:01.000Z',
      credits: { granted: 107, spent: 9, refunded: 6, adjusted: -4, sold: 0 },
      outstanding: { accounts: 1, credits: 100, debt: 0 },
      images: { succeeded: 2, refunded: 3, pending: 0 },
      failures: [
        { reason: 'NO_IMAGE', count: 2 },
        { reason: 'CONTENT_BLOCKED', count: 1 },
      ],
      providerCostMicros: 78_000,
      marginMicros: -78_000,
      money: [],
      actions: [{ action: 'grant', uid: 'ann', amount: 7, reason: 'a present' }],
    });
    expect(sums.days.slice(-2)).toEqual([
      expect.objectContaining({ date: '2026-01-01', images: 2, refunds: 0, creditsSpent: 3 }),
      expect.objectContaining({ date: '2026-01-02', images: 0, refunds: 3, creditsSpent: 6 }),
    ]);
    expect(sums.days.reduce((all: number, day: { images: number }) => all + day.images, 0)).toBe(2);
  });

  it('counts only what belongs to the period: its beginning, not its end', async () => {
    const { generate, overview, world } = createStudio();
    await generate('a');
    await world.advance(dayMs);
    await generate('b');
    const count = async (from: string, to: string) => (await overview({ from, to })).body.images.succeeded;
    const next = '2026-01-02T00:00:00.000Z';
    expect(await count(startsAt, next)).toBe(1);
    expect(await count(next, '2026-01-03T00:00:00Z')).toBe(1);
    expect(await count(startsAt, '2026-01-03T00:00:00+01:00')).toBe(2);
  });

  it('sums money by currency, and leaves the margin open unless all of it is dollars', async () => {
    const studio = createStudio();
    await studio.generate('a');
    const now = new Date(startsAt);
    studio.edit('accounts/ann/purchases/cs_1', purchase('usd', 500, now));
    studio.edit('accounts/bob/purchases/cs_2', purchase('usd', 700, now));
    await studio.world.advance(1);
    expect((await studio.overview()).body).toMatchObject({
      money: [{ currency: 'usd', paid: 1200, purchases: 2 }],
      marginMicros: 12_000_000 - 39_000,
    });
    studio.edit('accounts/bob/purchases/cs_3', purchase('eur', 900, now));
    studio.edit('accounts/bob/purchases/cs_4', purchase('chf', 900, new Date(now.getTime() - 60 * dayMs)));
    expect((await studio.overview()).body).toMatchObject({
      money: [
        { currency: 'eur', paid: 900, purchases: 1 },
        { currency: 'usd', paid: 1200, purchases: 2 },
      ],
      marginMicros: null,
    });
  });

  it('shows the models, and when each job last finished', async () => {
    const studio = createStudio();
    studio.edit('quota/gemini-2.5-flash-image', { state: 'off' });
    await studio.runJob('sweepHolds');
    const { models, jobs } = (await studio.overview()).body;
    expect(models[0]).toEqual({ id: 'gemini-2.5-flash-image', state: 'off' });
    expect(models.slice(1).every(({ state }: { state: string }) => state === 'ready')).toBe(true);
    expect(jobs).toContainEqual({ name: 'sweepHolds', finishedAt: startsAt, late: false });
    expect(jobs).toContainEqual({ name: 'reconcile', finishedAt: null, late: false });
    expect(jobs.map(({ name }: { name: string }) => name)).not.toContain('reconcilePayments');
  });

  it('says which jobs are late', async () => {
    const studio = createStudio();
    await studio.runJob('sweepHolds');
    await studio.runJob('checkQuota');
    const listLate = async () => {
      const { jobs } = (await studio.overview()).body;
      return jobs.flatMap(({ name, late }: { name: string; late: boolean }) => (late ? [name] : []));
    };
    await studio.world.advance(10 * 60_000);
    expect(await listLate()).toEqual([]);
    await studio.world.advance(1);
    expect(await listLate()).toEqual(['sweepHolds']);
  });

  it.each([
    ['a period that ends before it begins', { from: '2026-01-02T00:00:00Z', to: startsAt }, 'from'],
    ['a period of more than 92 days', { from: '2025-09-01T00:00:00Z' }, 'from'],
    ['a date without a time', { to: '2026-01-02' }, 'to'],
  ])('refuses %s', async (_, query, field) => {
    const { status, body } = await createStudio().overview(query);
    const details = body.error.details as { fieldViolations?: { field: string }[] }[];
    expect([
      status,
      details.flatMap(({ fieldViolations = [] }) => fieldViolations.map((one) => one.field)),
    ]).toEqual([400, [field]]);
  });

  it('is for admins', async () => {
    const { get } = createStudio();
    expect((await get('adminOverview')).status).toBe(403);
  });
});
