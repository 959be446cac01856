/** What an admin types wrong into an account is reported, read in the safe way, and never taken as something else. */
import { describe, expect, it } from 'vitest';
import { removed } from '../../../shared/database/database.ts';
import { findMistypedFields, isSuspended } from '../../../shared/ledger/account.ts';
import * as page from '../../../web/state/balance.ts';
import { createMemoryStudio, createMemoryWorld, toOutcome } from '../../support/memoryStudio.ts';
import { document, now } from './exampleAccount.ts';

const path = 'accounts/ann';
const env = { SIGNUP_CREDITS: '0', ALLOWANCE_CREDITS: '5', ALLOWANCE_PERIOD: 'day' };
const dayMs = 86_400_000;

/** An account that the ledger has opened, with 3 credits and this day's allowance behind it. */
async function openAccount() {
  const world = createMemoryWorld();
  const studio = createMemoryStudio({ world, env });
  expect((await studio.get('account')).body.account).toMatchObject({ balance: 5, sequence: 1 });
  studio.edit(path, { balance: 3 });
  expect((await studio.get('account')).body.account).toMatchObject({ balance: 3, sequence: 2 });
  return { world, studio };
}

describe('the fields with a wrong type', () => {
  it.each<[string, unknown]>([
    ['settled', '10'],
    ['sequence', -1],
    ['entryCount', 'three'],
    ['note', 5],
    ['email', true],
    ['active', { g: 'soon' }],
    ['active', 'none'],
    ['rate', [now, 'x']],
    ['billedRefunds', 'none'],
    ['suspended', 'false'],
    ['suspended', 0],
    ['signupDue', 'yes'],
    ['verified', 'true'],
    ['allowance', '25'],
    ['allowance', -3],
    ['allowance', 2.5],
    ['allowancePeriod', 7],
    ['usedAt', 'today'],
    ['createdAt', 0],
    ['updatedAt', '2026-01-01'],
    ['closedAt', 'today'],
    ['suspendedAt', true],
    ['restoredAt', 1],
    ['suspendedFor', 'dp_1'],
    ['identities', [1]],
    ['debt', '5'],
    ['debt', -5],
    ['customers', 'cus_1'],
    ['terms', '2026-01'],
    ['terms', { version: '2026-01' }],
  ])('are found: %s is %j', (field, value) => {
    expect(findMistypedFields(document({ balance: 1, [field]: value }))).toEqual([field]);
  });

  it('are none where fields are missing, null or right', () => {
    expect(findMistypedFields(document({ balance: 'x', adjust: 'x', suspended: null }))).toEqual([]);
    const right = { settled: 1, sequence: 1, entryCount: 1, note: 'n', active: { g: now }, rate: [now] };
    expect(findMistypedFields(document({ ...right, suspended: false, allowance: 0, usedAt: now }))).toEqual(
      [],
    );
  });
});

it.each(['today', true, 0])(
  'closedAt as %j: the account is closed, until an admin removes it',
  async (closedAt) => {
    const { studio } = await openAccount();
    studio.edit(path, { closedAt });
    expect(toOutcome(await studio.generate('k'))).toEqual([409, 'ACCOUNT_CLOSED']);
    studio.edit(path, { closedAt: removed });
    expect(toOutcome(await studio.generate('k'))).toEqual([200, undefined]);
  },
);

it('a field with a misspelt name is logged at the next call and by reconcile, and changes nothing', async () => {
  const { studio } = await openAccount();
  studio.edit(path, { Suspended: true, 'balance ': 50 });
  expect(toOutcome(await studio.generate('k'))).toEqual([200, undefined]);
  expect((await studio.runJob('reconcile')).body.broken).toEqual([]);
  expect(studio.account()).toMatchObject({ balance: 2, Suspended: true });
  const logged = studio.findEvents('document_mistyped');
  expect(logged).toHaveLength(2);
  for (const line of logged) expect(line).toMatchObject({ path, fields: ['Suspended', 'balance '] });
});

describe('an allowance that is not a whole number of credits', () => {
  it.each(['25', -3, true, 2.5])(
    '%j: nothing is paid, neither by the job nor at a call',
    async (allowance) => {
      const { world, studio } = await openAccount();
      studio.edit(path, { allowance });
      world.advance(dayMs);
      const { account } = (await studio.get('account')).body;
      expect(account).toMatchObject({ balance: 3, sequence: 2 });
      expect(account).not.toHaveProperty('allowance');
      expect((await studio.runJob('refillAllowances')).body).toEqual({ checked: 1, refilled: 0 });
      studio.edit(path, { allowance: 25 });
      expect((await studio.get('account')).body.account).toMatchObject({ balance: 25, sequence: 3 });
    },
  );

  it('is logged with its path, once for each version, and reported by audit and reconcile', async () => {
    const { studio } = await openAccount();
    studio.edit(path, { allowance: '25' });
    for (let i = 0; i < 3; i += 1) await studio.get('account');
    expect(studio.findEvents('document_mistyped')).toMatchObject([
      { severity: 'WARNING', path, fields: ['allowance'] },
    ]);
    const differences = ['allowance has a wrong type or an impossible value'];
    const audited = await studio.get('audit', { uid: 'ann' }, 'admin:root');
    expect(audited.body.accounts).toMatchObject([{ ok: false, differences }]);
    expect((await studio.runJob('reconcile')).body.broken).toMatchObject([{ uid: 'ann', differences }]);
    studio.edit(path, { allowance: removed });
    expect((await studio.runJob('reconcile')).body.broken).toEqual([]);
  });
});

describe('suspended', () => {
  const suspends: [unknown, boolean][] = [
    [undefined, false],
    [null, false],
    [false, false],
    [true, true],
    ['false', true],
    ['', true],
    [0, true],
  ];
  it.each(suspends)('as %j: %s, for the functions and for the page', async (suspended, expected) => {
    expect(isSuspended({ suspended })).toBe(expected);
    expect(page.isSuspended({ suspended })).toBe(expected);
    const { studio } = await openAccount();
    studio.edit(path, { suspended: suspended ?? removed });
    expect((await studio.get('account')).body.account.suspended).toBe(expected);
    expect(toOutcome(await studio.generate('k'))).toEqual(
      expected ? [403, 'ACCOUNT_SUSPENDED'] : [200, undefined],
    );
  });
});

describe('an account made by hand without a balance', () => {
  it.each<[string, object, object]>([
    ['nothing but suspended', { suspended: true }, { balance: 0, suspended: true }],
    ['nothing but an allowance', { allowance: 7 }, { balance: 7, suspended: false }],
    ['nothing but a note', { note: 'a friend' }, { balance: 5 }],
    ['nothing but an e-mail address', { email: 'ann@example.com' }, { balance: 5 }],
    ['nothing but adjust', { adjust: 9 }, { balance: 9 }],
  ])('%s: has 0 credits and is valid', async (_, data, expected) => {
    const studio = createMemoryStudio({ env });
    studio.edit(path, { ...data });
    expect((await studio.get('account')).body.account).toMatchObject(expected);
    expect((await studio.runJob('reconcile')).body.broken).toEqual([]);
  });

  it('is not the same as one whose balance was removed later', async () => {
    const { studio } = await openAccount();
    studio.edit(path, { balance: removed });
    const refused = await studio.get('account');
    expect([refused.status, refused.body.error.details[0].metadata.field]).toEqual([409, 'balance']);
  });
});

describe('adjust', () => {
  it('that would bring the balance below 0 is refused with a message that says so', async () => {
    const { studio } = await openAccount();
    studio.edit(path, { adjust: -15 });
    const { status, body } = await studio.get('account');
    expect([status, body.error.details[0]]).toMatchObject([
      409,
      { reason: 'ACCOUNT_INVALID', metadata: { field: 'adjust' } },
    ]);
    expect(body.error.message).toBe(
      'This account must be corrected: its adjust of -15 would bring the balance of 3 below 0. Please contact support.',
    );
    expect((await studio.runJob('reconcile')).body.broken).toMatchObject([
      { differences: ['adjust of -15 would bring the balance of 3 below 0'] },
    ]);
  });

  it.each<[string, object, string]>([
    ['text', { adjust: '5' }, 'adjust is not a whole number of credits'],
    ['too large', { adjust: Number.MAX_SAFE_INTEGER }, 'above 9006199254740991'],
    ['a balance of text', { balance: '5' }, 'balance is not a whole number of credits from 0 to'],
  ])('or balance: %s has a message of its own', async (_, data, text) => {
    const { studio } = await openAccount();
    studio.edit(path, { ...data });
    expect((await studio.get('account')).body.error.message).toContain(text);
  });

  it('typed while the first one is being recorded is added as well', async () => {
    const world = createMemoryWorld();
    let type: (() => void) | undefined;
    const studio = createMemoryStudio({
      world,
      env: { SIGNUP_CREDITS: '10' },
      faults: (database) => ({
        ...database,
        async commit(writes) {
          const version = await database.commit(writes);
          type?.();
          type = undefined;
          return version;
        },
      }),
    });
    await studio.get('account');
    studio.edit(path, { adjust: 5 });
    type = () => studio.edit(path, { adjust: 5 });
    await studio.get('account');
    expect((await studio.get('account')).body.account).toMatchObject({ balance: 20, sequence: 3 });
  });

  it('typed over one that was read, but not recorded, replaces it and is not lost', async () => {
    let type: (() => void) | undefined;
    const studio = createMemoryStudio({
      env: { SIGNUP_CREDITS: '10' },
      faults: (database) => ({
        ...database,
        async commit(writes) {
          type?.();
          type = undefined;
          return database.commit(writes);
        },
      }),
    });
    await studio.get('account');
    studio.edit(path, { adjust: 5 });
    type = () => studio.edit(path, { adjust: 7 });
    expect((await studio.get('account')).body.account).toMatchObject({ balance: 17, sequence: 2 });
    expect(studio.account()).not.toHaveProperty('adjust');
  });
});
