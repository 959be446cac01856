/** Events of written accounts: an admin's edit becomes one entry, and the ledger's own writes cost nothing. */
import { afterAll, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import type { Database } from '../../shared/database/database.ts';
import { type AccountWrite, eventBody, eventHeaders } from '../support/accountEvents.ts';
import { type Encoding, hasSucceeded, startAccountWritten } from '../support/accountWritten.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { runJob } from '../support/scheduler.ts';

const world = await startAccountWritten();
const { stack, counted, countedUrl, post, deliver, openAccount } = world;

afterAll(() => stack.close());

describe('an edit in the console', () => {
  it.each<[Encoding, string | undefined]>([
    ['production', 'admin@example.com'],
    ['production', undefined],
    ['emulator', undefined],
    ['emulator', 'admin@example.com'],
  ])('as %s sends it, with the author %s, becomes an entry', async (form, authid) => {
    const user = await openAccount(10);
    const write = await user.edit({ balance: 74, note: 'for a friend' });
    expect(hasSucceeded(await deliver(user.uid, write, { encoding: form, ...(authid && { authid }) }))).toBe(
      true,
    );
    const [, entry, ...more] = await user.getEntries();
    expect(more).toEqual([]);
    expect(entry).toMatchObject({
      type: 'adjustment',
      amount: 64,
      balance: 74,
      sequence: 2,
      reason: 'for a friend',
    });
    expect(entry?.actor).toBe(authid);
    expect(await user.getStored()).toMatchObject({ balance: 74, settled: 74, sequence: 2 });
    expect(await user.getStored()).not.toHaveProperty('note');
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('to 0 becomes an entry too', async () => {
    const user = await openAccount(10);
    await deliver(user.uid, await user.edit({ balance: 0 }));
    expect(await user.getEntries()).toMatchObject([{ amount: 10 }, { amount: -10, balance: 0 }]);
  });

  it('of adjust is added to the balance, and the field removed', async () => {
    const user = await openAccount(10);
    await deliver(user.uid, await user.edit({ adjust: -3, note: 'a mistake' }), { authid: 'boss' });
    expect((await user.getEntries()).at(-1)).toMatchObject({
      amount: -3,
      reason: 'a mistake',
      actor: 'boss',
    });
    expect(await user.getStored()).toMatchObject({ balance: 7, settled: 7 });
    expect(await user.getStored()).not.toHaveProperty('adjust');
    expect(await user.getStored()).not.toHaveProperty('note');
  });

  it('of the note alone waits for the edit whose reason it is', async () => {
    const user = await openAccount(10);
    await deliver(user.uid, await user.edit({ note: 'see ticket' }));
    expect(await user.getEntries()).toHaveLength(1);
    await deliver(user.uid, await user.edit({ balance: 11 }));
    expect((await user.getEntries()).at(-1)).toMatchObject({ amount: 1, reason: 'see ticket' });
  });

  it('that creates an account opens it in the ledger', async () => {
    const user = await stack.newUser(30);
    const after = await stack.document(`accounts/${user.uid}`);
    expect(hasSucceeded(await deliver(user.uid, { after }, { authid: 'boss' }))).toBe(true);
    const { account, entries } = await stack.ledger(user.uid);
    expect(entries).toMatchObject([
      { type: 'adjustment', amount: 30, balance: 30, sequence: 1, actor: 'boss' },
    ]);
    expect(account).toMatchObject({ balance: 30, settled: 30, sequence: 1 });
  });

  it('is found under a uid that the header encodes', async () => {
    const uid = 'Zoë 100%';
    await stack.user(encodeURIComponent(uid), 30);
    const document = `accounts/${encodeURIComponent(uid)}`;
    const body = eventBody(stack.projectId, `accounts/${uid}`, { after: { balance: 30 } });
    expect(hasSucceeded(await post(body, eventHeaders(stack.projectId, document)))).toBe(true);
    expect((await stack.ledger(uid)).entries).toMatchObject([{ amount: 30 }]);
  });
});

describe('an event', () => {
  it('that comes again changes nothing more', async () => {
    const user = await openAccount(10);
    const write = await user.edit({ balance: 20, adjust: 5 });
    for (let i = 0; i < 3; i += 1) expect(hasSucceeded(await deliver(user.uid, write))).toBe(true);
    expect((await user.getEntries()).map(({ amount }) => amount)).toEqual([10, 15]);
    expect(await user.getStored()).toMatchObject({ balance: 25, settled: 25 });
  });

  it('that comes ten times at once on two servers is one entry', async () => {
    const { url: other } = await stack.startServer();
    const user = await openAccount(10);
    const write = await user.edit({ balance: 20, adjust: 5 });
    const statuses = await Promise.all(
      Array.from({ length: 10 }, (_, i) => deliver(user.uid, write, { url: i % 2 ? other : stack.url })),
    );
    expect(statuses.every(hasSucceeded)).toBe(true);
    expect((await user.getEntries()).map(({ amount }) => amount)).toEqual([10, 15]);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('that comes out of order leaves the account as it is', async () => {
    const user = await openAccount(10);
    const first = await user.edit({ balance: 20 });
    const second = await user.edit({ balance: 31 });
    for (const write of [second, first, second]) await deliver(user.uid, write);
    expect((await user.getEntries()).map(({ amount }) => amount)).toEqual([10, 21]);
    expect(await user.getStored()).toMatchObject({ balance: 31, settled: 31 });
  });

  it('that comes after credits were spent does not restore the old balance', async () => {
    const user = await openAccount(10);
    const write = await user.edit({ balance: 20 });
    expect((await user.generate('k')).status).toBe(200);
    await deliver(user.uid, write);
    expect((await user.getEntries()).map(({ amount }) => amount)).toEqual([10, 10, -1]);
    expect(await user.getStored()).toMatchObject({ balance: 19, settled: 19 });
  });

  it('that comes between holds and refunds leaves the ledger consistent', async () => {
    const user = await openAccount(50);
    stack.gemini.script(...Array.from({ length: 2 }, () => geminiFault.noImage('SAFETY')));
    const generations = ['a', 'b', 'c', 'd'].map((key) => user.generate(key));
    for (const balance of [60, 70, 5]) await deliver(user.uid, await user.edit({ balance }));
    await Promise.all(generations);
    await deliver(user.uid, { after: { balance: 1, settled: 0 } });
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('that comes after its account was deleted creates none', async () => {
    const user = await openAccount(10);
    const write = await user.edit({ balance: 20 });
    await stack.erase(user.path);
    expect(hasSucceeded(await deliver(user.uid, write))).toBe(true);
    expect(await stack.document(user.path)).toBeUndefined();
    expect(await user.getEntries()).toHaveLength(1);
  });
});

describe('reads nothing for', () => {
  async function expectFree(uid: string, write: AccountWrite) {
    for (const form of ['production', 'emulator'] as const) {
      counted.reset();
      expect(hasSucceeded(await deliver(uid, write, { encoding: form, url: countedUrl }))).toBe(true);
      expect(counted.trips).toEqual([]);
    }
  }

  it.each<[string, (user: Awaited<ReturnType<typeof openAccount>>) => Promise<unknown>]>([
    ['an opened account', async () => {}],
    ['a hold and its settlement', (user) => user.generate('k')],
    [
      'a refund',
      (user) => {
        stack.gemini.script(geminiFault.noImage('SAFETY'));
        return user.generate('k');
      },
    ],
    [
      'an edit that was recorded',
      async (user) => deliver(user.uid, await user.edit({ balance: 3, adjust: 4 })),
    ],
    ['a balance of 0', (user) => user.generate('k', { tier: 'premium4' })],
    [
      'a grant',
      ({ uid }) =>
        stack.fetch('grant', {
          method: 'POST',
          headers: {
            authorization: 'Bearer owner',
            'content-type': 'application/json',
            'idempotency-key': uid,
          },
          body: JSON.stringify({ uid, amount: 5, reason: 'a test' }),
        }),
    ],
  ])('%s', async (_, act) => {
    const user = await openAccount(4);
    const before = await user.getStored();
    await act(user);
    await expectFree(user.uid, { before, after: await user.getStored() });
  });

  it('an account that the ledger created', async () => {
    let created: Record<string, unknown> | undefined;
    const watched: Database = {
      ...stack.database,
      async commit(writes) {
        const version = await stack.database.commit(writes);
        const [write] = writes;
        if (write && 'create' in write) created = write.data;
        return version;
      },
    };
    const { url } = await stack.startServer({}, { database: watched });
    const user = await stack.user('newcomer');
    expect((await user.get('account', url)).status).toBe(200);
    if (created === undefined) throw new Error('No account was created');
    await expectFree(user.uid, { after: created });
  });

  it('a deleted account, and nothing is written', async () => {
    const user = await openAccount(10);
    const before = await user.getStored();
    await stack.erase(user.path);
    await expectFree(user.uid, { before });
    expect(await stack.document(user.path)).toBeUndefined();
    expect(await user.getEntries()).toHaveLength(1);
  });
});

describe('an invalid edit', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a balance that is text', { balance: 'lots' }],
    ['a negative balance', { balance: -5 }],
    ['a balance with a fraction', { balance: 2.5 }],
    ['a missing balance', { balance: undefined }],
    ['a balance that is null', { balance: null }],
    ['an adjust that is text', { adjust: '5' }],
    ['an adjust that makes the balance negative', { adjust: -11 }],
  ])('%s is left to the admin, and the event is not requested again', async (_, fields) => {
    const user = await openAccount(10);
    const write = await user.edit(fields);
    expect(hasSucceeded(await deliver(user.uid, write))).toBe(true);
    expect(await user.getStored()).toEqual(write.after);
    expect(await user.getEntries()).toHaveLength(1);
    expect(stack.logs).toContainEqual(expect.objectContaining({ severity: 'WARNING', uid: user.uid }));
    // Once corrected, it is an ordinary edit.
    await deliver(user.uid, await user.edit({ balance: 12, adjust: undefined }));
    expect((await user.getEntries()).at(-1)).toMatchObject({ amount: 2, balance: 12 });
  });
});

it('an edit without an event is found by reconcile', async () => {
  const user = await openAccount(10);
  await user.edit({ balance: 25 });
  expect((await runJob(stack, 'reconcile')).body.adjusted).toBeGreaterThanOrEqual(1);
  expect((await user.getEntries()).at(-1)).toMatchObject({ amount: 15 });
});
