/** A `sequence` that an admin has changed is refused, reported, and corrected by a refund; no entry is ever overwritten. */
import { describe, expect, it } from 'vitest';
import { removed } from '../../../shared/database/database.ts';
import { Failure } from '../../../shared/errors.ts';
import { createMemoryStudio, image, toOutcome } from '../../support/memoryStudio.ts';

const path = 'accounts/ann';

/** An account with these entries: 10 signup credits, an adjustment to 20, an image for 1. */
async function openAccount(parts: Partial<Parameters<typeof createMemoryStudio>[0]> = {}) {
  const studio = createMemoryStudio({ env: { SIGNUP_CREDITS: '10' }, ...parts });
  await studio.get('account');
  studio.edit(path, { balance: 20 });
  await studio.get('account');
  expect((await studio.generate('first')).body.receipt).toMatchObject({ balance: 19, sequence: 3 });
  const getField = async () => {
    const { status, body } = await studio.get('account');
    return [status, body.error?.details[0].reason, body.error?.details[0].metadata.field];
  };
  const entries = () =>
    studio
      .documents(`${path}/entries`)
      .sort((a, b) => Number(a.sequence) - Number(b.sequence))
      .map(({ sequence, amount, balance }) => [sequence, amount, balance]);
  return { studio, getField, entries };
}
const refused = [409, 'ACCOUNT_INVALID', 'sequence'];
const three = [
  [1, 10, 10],
  [2, 10, 20],
  [3, -1, 19],
];

describe.each([0, 1, 2, 9])('a sequence of 3 that an admin sets to %i', (sequence) => {
  it('is refused until it is put back, and nothing is written', async () => {
    const { studio, getField, entries } = await openAccount();
    studio.edit(path, { sequence });
    expect(await getField()).toEqual(refused);
    expect(toOutcome(await studio.generate('k'))).toEqual([409, 'ACCOUNT_INVALID']);
    expect(entries()).toEqual(three);
    const { broken } = (await studio.runJob('reconcile')).body;
    expect(broken).toMatchObject([
      { uid: 'ann', differences: [`there are 3 entries, sequence is ${sequence}`] },
    ]);
    studio.edit(path, { balance: 25 });
    expect((await studio.runJob('reconcile')).body.adjusted).toBe(0);
    expect(studio.findEvents('account_invalid')).toMatchObject([{ uid: 'ann', field: 'sequence' }]);
    studio.edit(path, { balance: 19 });
    studio.edit(path, { sequence: 3 });
    expect((await studio.generate('k')).body.receipt).toMatchObject({ balance: 18, sequence: 4 });
  });

  it('may be removed instead: the account continues from its newest entry', async () => {
    const { studio } = await openAccount();
    studio.edit(path, { sequence });
    studio.edit(path, { sequence: removed });
    expect((await studio.generate('k')).body.receipt).toMatchObject({ balance: 18, sequence: 4 });
  });

  it('does not hold up a refund, which continues from the newest entry', async () => {
    let tamper: (() => void) | undefined;
    const { studio, entries } = await openAccount({
      async imageGenerator() {
        if (!tamper) return image();
        tamper();
        throw new Failure('CONTENT_BLOCKED', 'Blocked.', { metadata: { finishReason: 'SAFETY' } });
      },
    });
    tamper = () => studio.edit(path, { sequence, balance: 30 });
    const failed = await studio.generate('k');
    expect(toOutcome(failed)).toEqual([422, 'CONTENT_BLOCKED']);
    expect(failed.body.receipt).toMatchObject({ charged: 1, refunded: 1, sequence: 5 });
    expect(entries().slice(3)).toEqual([
      [4, -1, 18],
      [5, 1, 19],
    ]);
    // The edit of the balance is recorded by the next call.
    expect((await studio.get('account')).body.account).toMatchObject({ balance: 31, sequence: 6 });
  });
});

it('an entry that is there already shows a wrong sequence where nothing else does', async () => {
  const { studio, getField, entries } = await openAccount();
  // As the ledger wrote accounts before it counted their entries.
  studio.edit(path, { entryCount: removed, sequence: 1, balance: 25 });
  expect(await getField()).toEqual(refused);
  expect(entries()).toEqual(three);
  expect((await studio.runJob('reconcile')).body.adjusted).toBe(0);
});

it('a changed entryCount alone is corrected', async () => {
  const { studio } = await openAccount();
  studio.edit(path, { entryCount: 8 });
  expect((await studio.generate('k')).body.receipt).toMatchObject({ balance: 18, sequence: 4 });
  expect(studio.account()).toMatchObject({ sequence: 4, entryCount: 4 });
});

it('an entry that an admin has spoilt does not hide those before it', async () => {
  const { studio } = await openAccount();
  studio.edit(`${path}/entries/adjustment:2`, { sequence: '2' });
  studio.edit(path, { settled: removed });
  expect((await studio.get('account')).body.account).toMatchObject({ balance: 19, sequence: 3 });
  expect(studio.findEvents('document_unreadable')).toMatchObject([{ path: `${path}/entries/adjustment:2` }]);
});

it('a closing goes on with a wrong sequence, and gives no signup credits', async () => {
  const studio = createMemoryStudio({ env: { SIGNUP_CREDITS: '10' } });
  studio.edit(path, { signupDue: true, balance: 9 });
  const granted = await studio.call(
    'grant',
    { uid: 'ann', amount: 1, reason: 'by an admin' },
    { as: 'admin:root', key: 'k' },
  );
  expect(granted.status).toBe(200);
  studio.edit(path, { sequence: 9 });
  const before = studio.documents(`${path}/entries`);
  expect((await studio.call('closeAccount', { confirm: 'CLOSE' })).status).toBe(200);
  expect(studio.documents(`${path}/entries`).map(({ type, amount }) => [type, amount])).toEqual(
    before.map(({ type, amount }) => [type, amount]),
  );
});
