/** What users see of their entries: never who moved the credits, and a reason only if it was meant for them. */
import { expect, it } from 'vitest';
import { entrySchema } from '../../../shared/contract.ts';
import { createLog } from '../../../shared/core/log.ts';
import { readEntries } from '../../../shared/ledger/entries.ts';
import { createLedger } from '../../../shared/ledger/ledger.ts';
import { createMemoryDatabase, createMemoryStore } from '../../simulation/memoryDatabase.ts';
import { createLedgerSettings } from '../../support/ledgerSettings.ts';
import { virtualClock } from '../../support/virtualClock.ts';

const actor = 'root-uid (root@example.com)';

/** What a user sees of one stored entry. */
async function readEntry(id: string, fields: object) {
  const store = createMemoryStore(() => 0);
  const entry = { sequence: 1, amount: 5, balance: 5, createdAt: new Date(0) };
  store.commit([{ create: `accounts/ann/entries/${id}`, data: { ...entry, ...fields } }]);
  const limits = { maxInFlightPerUser: 1, maxPerMinutePerUser: 1, maxRefundsPerHourPerUser: 1 };
  const settings = createLedgerSettings({ limits });
  const log = createLog(() => {});
  const ledger = createLedger(createMemoryDatabase(store), settings, log, virtualClock().clock);
  const { entries } = await readEntries(ledger, 'ann', { pageSize: 1 });
  return entrySchema.parse(entries[0]);
}

it.each([
  ['a refund', 'g:refund', { type: 'refund', reason: 'NO_IMAGE', generationId: 'g' }, 'NO_IMAGE'],
  ['signup credits', 'signup', { type: 'grant', reason: 'signup' }, 'signup'],
  ['an adjustment with a note', 'adjustment:1', { type: 'adjustment', reason: 'sorry', actor }, 'sorry'],
  ['an adjustment without a note', 'adjustment:1', { type: 'adjustment', actor }, undefined],
  ["an admin's grant", 'grant:1', { type: 'grant', reason: 'a suspected fraud', actor }, undefined],
  ['an allowance', 'allowance:2026-11', { type: 'allowance' }, undefined],
])('%s', async (_, id, fields, reason) => {
  const entry = await readEntry(id, fields);
  expect(entry).toMatchObject({ id, type: fields.type, amount: 5 });
  expect(entry.reason).toBe(reason);
  expect(JSON.stringify(entry)).not.toContain('root');
});
