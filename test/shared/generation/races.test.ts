/** Races of a hold or a refund with another instance and with an admin, on the database in memory. */
import { beforeEach, expect, it } from 'vitest';
import { generateRequestSchema } from '../../../shared/contract.ts';
import { createLog } from '../../../shared/core/log.ts';
import type { Database } from '../../../shared/database/database.ts';
import { type HoldRequest, hold } from '../../../shared/generation/hold.ts';
import { generationPath } from '../../../shared/generation/record.ts';
import { refund } from '../../../shared/generation/refund.ts';
import { settle } from '../../../shared/generation/settle.ts';
import { entryPath } from '../../../shared/ledger/entries.ts';
import { createLedger } from '../../../shared/ledger/ledger.ts';
import {
  createMemoryDatabase,
  createMemoryStore,
  type MemoryStore,
} from '../../simulation/memoryDatabase.ts';
import { alwaysAvailable } from '../../support/alwaysAvailable.ts';
import { createLedgerSettings } from '../../support/ledgerSettings.ts';
import { virtualClock } from '../../support/virtualClock.ts';
import { lostReply } from '../../support/watchedDatabase.ts';

const uid = 'ann';
const user = { uid, email: undefined, verified: true, identities: [] };
const limits = { maxInFlightPerUser: 9, maxPerMinutePerUser: 99, maxRefundsPerHourPerUser: 1_000 };
const settings = createLedgerSettings({ signupCredits: 10, limits, holdMs: 60_000 });
const request = generateRequestSchema.parse({ prompt: 'A banana', tier: 'premium2' });
const image = {
  url: 'https://images.test/1.png',
  thumbnailUrl: 'https://images.test/1-small.png',
  mimeType: 'image/png' as const,
  width: 1248,
  height: 832,
  bytes: 1_000,
};

let store: MemoryStore;
beforeEach(() => {
  let now = Date.parse('2026-11-22T12:00:00Z');
  store = createMemoryStore(() => ++now);
});

/** The ledger of one instance, with faults in its database. */
function createInstance(faults: (database: Database) => Partial<Database> = () => ({})) {
  const database = createMemoryDatabase(store);
  const log = createLog(() => {});
  return createLedger({ ...database, ...faults(database) }, settings, log, virtualClock().clock);
}

const toRequest = (id: string, more: Partial<HoldRequest> = {}): HoldRequest => ({
  id: id.padStart(32, '0'),
  fingerprint: 'f',
  request,
  availability: alwaysAvailable,
  ...more,
});
const balance = async () =>
  (await createMemoryDatabase(store).read([`accounts/${uid}`])).documents[0]?.data.balance;

it('a key whose hold commits while another instance finds the image in the cache is never called deleted', async () => {
  const first = await hold(createInstance(), user, toRequest('1', { cacheKey: 'key' }));
  const commitOfSecond = Promise.withResolvers<void>();
  const slow = createInstance((database) => ({
    async commit(writes) {
      await commitOfSecond.promise;
      return database.commit(writes);
    },
  }));
  const second = hold(slow, user, toRequest('2', { cacheKey: 'key' }));
  await new Promise(setImmediate);
  await settle(createInstance(), first.record, {
    model: 'm',
    enhancedPrompt: null,
    image,
    imageHash: '0'.repeat(64),
    providerCostMicros: 0,
    cacheUntil: new Date('2027-01-01T00:00:00Z'),
  });
  // After its first read, which does not show the second hold yet, the third call reads the image of the cache.
  let reads = 0;
  const third = createInstance((database) => ({
    async read(paths) {
      reads += 1;
      if (reads === 2) {
        commitOfSecond.resolve();
        await second;
      }
      return database.read(paths);
    },
  }));
  const repeated = await hold(third, user, toRequest('2', { cacheKey: 'key' }));
  expect([(await second).outcome, repeated.outcome]).toEqual(['held', 'existing']);
  expect(await balance()).toBe(6);
});

it('a refund whose reply was lost is known by its entry if an admin deletes the document meanwhile', async () => {
  const { record } = await hold(createInstance(), user, toRequest('1'));
  let commits = 0;
  const unlucky = createInstance((database) => ({
    async commit(writes) {
      commits += 1;
      const version = await database.commit(writes);
      if (commits > 1) return version;
      await database.commit([{ delete: generationPath(uid, record.id) }]);
      throw Object.assign(new Error('The connection broke'), { code: 14 });
    },
  }));
  const failure = { reason: 'PROVIDER_ERROR', message: 'The model failed.' };
  const outcome = await refund(unlucky, { uid, id: record.id, held: record, failure, mayBeStored: true });
  expect(outcome?.record).toMatchObject({
    status: 'refunded',
    receipt: { charged: 2, refunded: 2, balance: 10, sequence: 3 },
  });
  expect(await balance()).toBe(10);
  const { documents } = await createMemoryDatabase(store).read([entryPath(uid, `${record.id}:refund`)]);
  expect(documents[0]?.data).toMatchObject({ amount: 2 });
});

it.each([false, true])(
  'a hold whose reply is lost, and whose document an admin deletes before the retry, is refunded once (cache: %s)',
  async (isCached) => {
    let isLost = false;
    const ledger = createInstance((database) => ({
      async commit(writes) {
        const version = await database.commit(writes);
        const held = writes.find((write) => 'create' in write && write.create.includes('/generations/'));
        if (isLost || !held) return version;
        isLost = true;
        expect(await balance()).toBe(8);
        await database.commit([{ delete: generationPath(uid, '1'.padStart(32, '0')) }]);
        throw lostReply();
      },
    }));
    const params = toRequest('1', isCached ? { cacheKey: 'c' } : {});
    const deleted = { reason: 'DELETED' };
    await expect(hold(ledger, user, params)).rejects.toMatchObject(deleted);
    expect([isLost, await balance()]).toEqual([true, 10]);
    await expect(hold(ledger, user, params)).rejects.toMatchObject(deleted);
    expect(await balance()).toBe(10);
  },
);

it('a key whose finished generation an admin deleted is not refunded', async () => {
  const ledger = createInstance();
  const { record } = await hold(ledger, user, toRequest('1'));
  store.commit([{ delete: generationPath(uid, record.id) }]);
  await expect(hold(ledger, user, toRequest('1'))).rejects.toMatchObject({ reason: 'DELETED' });
  expect(await balance()).toBe(8);
});

it.each(['succeeded', 'refunded'])(
  'a holder who refunds what has %s already changes nothing',
  async (status) => {
    const ledger = createInstance();
    const { record } = await hold(ledger, user, toRequest('1'));
    const failure = { reason: 'DATABASE_UNAVAILABLE', message: 'The reply to the settling was lost.' };
    const own = { uid, id: record.id, held: record, failure, mayBeStored: true };
    if (status === 'refunded') await refund(ledger, own);
    else {
      const cacheUntil = new Date('2027-01-01T00:00:00Z');
      const result = { model: 'm', enhancedPrompt: null, image, imageHash: '0'.repeat(64), cacheUntil };
      await settle(ledger, record, { ...result, providerCostMicros: 0 });
    }
    const before = await balance();
    const outcome = await refund(createInstance(), own);
    expect(outcome).toMatchObject({ refundedNow: false, record: { status } });
    expect(await balance()).toBe(before);
    expect(before).toBe(status === 'refunded' ? 10 : 8);
  },
);
