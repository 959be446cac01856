/** Grants and their keys. */
import { expect, it } from 'vitest';
import { createLog } from '../../../shared/core/log.ts';
import { grantTo } from '../../../shared/ledger/grant.ts';
import { createLedger } from '../../../shared/ledger/ledger.ts';
import { createMemoryDatabase, createMemoryStore } from '../../simulation/memoryDatabase.ts';
import { noAllowance, tierCredits } from '../../support/tierCredits.ts';
import { virtualClock } from '../../support/virtualClock.ts';

it('lets two admins use the same key for different grants', async () => {
  const store = createMemoryStore(() => 0);
  store.commit([{ create: 'accounts/ann', data: { balance: 10 } }]);
  const limits = { maxInFlightPerUser: 1, maxPerMinutePerUser: 1, maxRefundsPerHourPerUser: 1_000 };
  const settings = { signupCredits: 0, allowance: noAllowance, tierCredits, limits, holdMs: 1 };
  const { clock } = virtualClock();
  const ledger = createLedger(
    createMemoryDatabase(store),
    settings,
    createLog(() => {}),
    clock,
  );
  const grant = (admin: string, amount: number) =>
    grantTo(ledger, { uid: admin, actor: `${admin}@example.com` }, 'one-key', {
      uid: 'ann',
      amount,
      reason: 'goodwill',
    });
  expect(await grant('root', 5)).toMatchObject({ replayed: false, grant: { amount: 5, balance: 15 } });
  expect(await grant('vera', 2)).toMatchObject({ replayed: false, grant: { amount: 2, balance: 17 } });
  expect(await grant('root', 5)).toMatchObject({ replayed: true, grant: { amount: 5, balance: 15 } });
});
