/** An allowance that is due is given by the user's own next call, in that call's commit; only to verified users. */
import { describe, expect, it } from 'vitest';
import { removed } from '../../../shared/database/database.ts';
import { countingDatabase } from '../../support/countingDatabase.ts';
import { createMemoryStudio, createMemoryWorld, toOutcome } from '../../support/memoryStudio.ts';

const path = 'accounts/ann';
const env = { SIGNUP_CREDITS: '0', ALLOWANCE_CREDITS: '5', ALLOWANCE_PERIOD: 'day' };
const dayMs = 86_400_000;
const unverified = 'user:ann:unverified';

function startStudio(more: Record<string, string> = {}) {
  const world = createMemoryWorld();
  let counting: ReturnType<typeof countingDatabase> | undefined;
  const studio = createMemoryStudio({
    world,
    env: { ...env, ...more },
    faults(database) {
      counting = countingDatabase(database);
      return counting.database;
    },
  });
  const getAllowances = () =>
    studio
      .documents(`${path}/entries`)
      .filter(({ type }) => type === 'allowance')
      .map(({ amount, balance }) => [amount, balance]);
  return { world, studio, getAllowances, counting: counting as NonNullable<typeof counting> };
}

describe('at the beginning of a period', () => {
  it('`generate` is paid from the new allowance, in the commit of its debit, and reads the person once', async () => {
    const { world, studio, getAllowances, counting } = startStudio();
    expect((await studio.generate('a', { tier: 'premium4' })).status).toBe(200);
    expect((await studio.generate('b')).status).toBe(200);
    expect(toOutcome(await studio.generate('c'))).toEqual([402, 'INSUFFICIENT_CREDITS']);
    world.advance(dayMs);
    counting.reset();
    const painted = await studio.generate('d', { tier: 'premium4' });
    expect(painted.body.receipt).toMatchObject({ charged: 4, balance: 1, sequence: 5 });
    expect(counting.trips).toEqual(['read', 'read', 'commit', 'commit']);
    // The account, the generation, the states of the models, and the one identity.
    expect(counting.documentsRead()).toBe(2 + 1 + 1 + studio.services.models.length);
    expect(getAllowances()).toEqual([
      [5, 5],
      [5, 5],
    ]);
  });

  it('`account` shows it as given, and when the next one is due', async () => {
    const { world, studio } = startStudio();
    await studio.generate('a');
    world.advance(dayMs);
    expect((await studio.get('account')).body.account).toMatchObject({
      balance: 5,
      allowance: { credits: 5, nextAt: '2026-01-03T00:00:00.000Z' },
    });
    expect((await studio.runJob('refillAllowances')).body).toEqual({ checked: 1, refilled: 0 });
  });

  it('a refused call gives it as well', async () => {
    const { world, studio, getAllowances } = startStudio();
    await studio.generate('a', { tier: 'premium4' });
    world.advance(dayMs);
    studio.edit('quota/all', { state: 'off' });
    world.advance(10_000);
    expect(toOutcome(await studio.generate('b'))).toEqual([503, 'PROVIDER_QUOTA']);
    expect(getAllowances()).toHaveLength(2);
  });
});

describe('an allowance is given once in a period', () => {
  it('however many calls come', async () => {
    const { studio, getAllowances } = startStudio();
    await Promise.all([
      studio.get('account'),
      studio.generate('a'),
      studio.generate('b'),
      studio.get('account'),
    ]);
    await studio.generate('c');
    await studio.runJob('refillAllowances');
    expect(getAllowances()).toEqual([[5, 5]]);
    expect(studio.account()).toMatchObject({ balance: 2, sequence: 4 });
  });

  it('from two instances at once', async () => {
    const { world, studio, getAllowances } = startStudio();
    const other = createMemoryStudio({ world, env });
    await Promise.all([studio.get('account'), other.get('account'), other.runJob('refillAllowances')]);
    expect(getAllowances()).toEqual([[5, 5]]);
  });

  it('also if the account was deleted in the console and comes back', async () => {
    const { world, studio, getAllowances } = startStudio();
    await studio.generate('a');
    world.store.commit([{ delete: path }]);
    expect((await studio.get('account')).body.account).toMatchObject({ balance: 0, sequence: 3 });
    expect(getAllowances()).toEqual([[5, 5]]);
    expect(studio.account()).toMatchObject({ allowancePeriod: 'day-2026-01-01' });
  });

  it('also if an admin removed the marks of it, so that only its entry proves it', async () => {
    const { studio, getAllowances } = startStudio();
    await studio.generate('a');
    studio.edit(path, { allowancePeriod: removed, identities: removed });
    expect((await studio.runJob('refillAllowances')).body).toEqual({ checked: 1, refilled: 0 });
    expect(getAllowances()).toEqual([[5, 5]]);
    expect(studio.account()).toMatchObject({ balance: 4, allowancePeriod: 'day-2026-01-01' });
  });

  it('and nothing is given where nothing is missing', async () => {
    const { studio, getAllowances } = startStudio({ SIGNUP_CREDITS: '8' });
    expect((await studio.get('account')).body.account.balance).toBe(8);
    expect((await studio.generate('a', { tier: 'premium4' })).body.receipt).toMatchObject({ balance: 4 });
    expect(getAllowances()).toEqual([]);
  });
});

describe('an allowance is for verified users', () => {
  it('not for one who never was, neither by a call nor by the job', async () => {
    const { studio, getAllowances } = startStudio();
    const { account } = (await studio.get('account', {}, unverified)).body;
    expect(account.balance).toBe(0);
    expect(account).not.toHaveProperty('allowance');
    expect((await studio.runJob('refillAllowances')).body).toEqual({ checked: 1, refilled: 0 });
    studio.edit(path, { allowance: 25 });
    await studio.get('account', {}, unverified);
    expect((await studio.runJob('refillAllowances')).body).toEqual({ checked: 1, refilled: 0 });
    expect(getAllowances()).toEqual([]);
  });

  it('but from the moment of the verification', async () => {
    const { studio, getAllowances } = startStudio();
    await studio.get('account', {}, unverified);
    expect((await studio.get('account')).body.account.balance).toBe(5);
    expect(getAllowances()).toEqual([[5, 5]]);
  });

  it('also if an admin made the account, or it was deleted and comes back', async () => {
    const { world, studio, getAllowances } = startStudio();
    studio.edit(path, { balance: 1 });
    await studio.get('account', {}, unverified);
    await studio.runJob('refillAllowances');
    world.store.commit([{ delete: path }]);
    await studio.get('account', {}, unverified);
    await studio.runJob('refillAllowances');
    expect(studio.account()).toMatchObject({ balance: 0, verified: false });
    expect(getAllowances()).toEqual([]);
  });

  it('and the job remembers it for accounts from before, which do not say so', async () => {
    const { world, studio } = startStudio();
    const usedAt = new Date(world.clock.now());
    studio.edit('accounts/eve', { balance: 1, settled: 1, sequence: 1, usedAt, signupDue: true });
    studio.edit('accounts/sam', { balance: 1, settled: 1, sequence: 1, usedAt });
    expect((await studio.runJob('refillAllowances')).body).toEqual({ checked: 2, refilled: 1 });
    studio.edit('accounts/sam', { allowancePeriod: removed, verified: 'yes' });
    expect((await studio.runJob('refillAllowances')).body).toEqual({ checked: 2, refilled: 0 });
  });
});

it('a suspended account is given nothing, and shows no allowance', async () => {
  const { studio, getAllowances } = startStudio();
  studio.edit(path, { balance: 1, suspended: true });
  const { account } = (await studio.get('account')).body;
  expect(account).toMatchObject({ balance: 1, suspended: true });
  expect(account).not.toHaveProperty('allowance');
  expect(getAllowances()).toEqual([]);
});
