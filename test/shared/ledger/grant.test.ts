/** Grants and their keys: one key is one grant, whichever admin sends it. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { createLog } from '../../../shared/core/log.ts';
import { grantTo } from '../../../shared/ledger/grant.ts';
import { createLedger } from '../../../shared/ledger/ledger.ts';
import { createMemoryDatabase, createMemoryStore } from '../../simulation/memoryDatabase.ts';
import { createLedgerSettings } from '../../support/ledgerSettings.ts';
import { virtualClock } from '../../support/virtualClock.ts';

const key = 'one-key';

function createWorld() {
  const store = createMemoryStore(() => 0);
  store.commit(['ann', 'bob'].map((uid) => ({ create: `accounts/${uid}`, data: { balance: 10 } })));
  const limits = { maxInFlightPerUser: 1, maxPerMinutePerUser: 1, maxRefundsPerHourPerUser: 1_000 };
  const settings = createLedgerSettings({ limits });
  const { clock } = virtualClock();
  const ledger = createLedger(
    createMemoryDatabase(store),
    settings,
    createLog(() => {}),
    clock,
  );
  return {
    store,
    grant: (admin: string, amount: number, uid = 'ann') =>
      grantTo(ledger, { uid: admin, actor: `${admin} (${admin}@example.com)` }, key, {
        uid,
        amount,
        reason: 'goodwill',
      }),
    getBalance: (uid: string) => store.read([`accounts/${uid}`]).documents[0]?.data.balance,
  };
}
const keyReused = { reason: 'IDEMPOTENCY_KEY_REUSED' };

it('replays the grant of another admin', async () => {
  const { grant, getBalance } = createWorld();
  const made = { amount: 5, balance: 15, actor: 'root (root@example.com)' };
  expect(await grant('root', 5)).toMatchObject({ replayed: false, grant: made });
  expect(await grant('vera', 5)).toMatchObject({ replayed: true, grant: made });
  expect(await grant('root', 5)).toMatchObject({ replayed: true, grant: made });
  expect(getBalance('ann')).toBe(15);
});

it('makes one grant of two admins at once', async () => {
  const { grant, getBalance } = createWorld();
  const answers = await Promise.all([grant('root', 5), grant('vera', 5), grant('root', 5)]);
  expect(answers.map(({ replayed }) => replayed).sort()).toEqual([false, true, true]);
  expect(getBalance('ann')).toBe(15);
});

it("refuses another admin's key for another account or amount", async () => {
  const { grant, getBalance } = createWorld();
  await grant('root', 5);
  await expect(grant('vera', 2)).rejects.toMatchObject(keyReused);
  await expect(grant('vera', 5, 'bob')).rejects.toMatchObject(keyReused);
  expect([getBalance('ann'), getBalance('bob')]).toEqual([15, 10]);
});

/** The name of root's grant in version 0.1.0. */
const keyHash = createHash('sha256')
  .update(JSON.stringify(['root', key]))
  .digest('hex')
  .slice(0, 32);

it('can be replayed by version 0.1.0 for the same admin', async () => {
  const { store, grant } = createWorld();
  const { grant: made } = await grant('root', 5);
  const [copy] = store.read([`grants/${keyHash}`]).documents;
  expect(copy?.data).toEqual(made);
});

it('replays a grant that version 0.1.0 made for the same admin', async () => {
  const { store, grant, getBalance } = createWorld();
  const entry = { uid: 'ann', amount: 5, reason: 'goodwill', actor: 'root@example.com' };
  const data = { ...entry, entryId: `grant:${keyHash}`, sequence: 1, balance: 15, owner: 'another call' };
  store.commit([{ create: `grants/${keyHash}`, data: { ...data, createdAt: new Date(0) } }]);
  expect(await grant('root', 5)).toMatchObject({ replayed: true, grant: data });
  await expect(grant('root', 6)).rejects.toMatchObject(keyReused);
  expect(getBalance('ann')).toBe(10);
});
