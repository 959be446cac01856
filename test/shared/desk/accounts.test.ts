/** Finding accounts for admins, and one account in full. */
import { describe, expect, it } from 'vitest';
import { adminAccountAnswerSchema, adminAccountsAnswerSchema } from '../../../shared/contract.ts';
import { tokens } from '../../simulation/instance.ts';
import { createMemoryStudio, createMemoryWorld } from '../../support/memoryStudio.ts';

function createStudio(options: Partial<Parameters<typeof createMemoryStudio>[0]> = {}) {
  const world = createMemoryWorld();
  const studio = createMemoryStudio({ world, ...options });
  const ask = (name: string, query: Record<string, string>) => studio.get(name, query, tokens.admin('root'));
  return {
    ...studio,
    world,
    ask,
    async list(query: Record<string, string> = {}) {
      const { body } = await ask('adminAccounts', query);
      const { accounts, nextPageToken } = adminAccountsAnswerSchema.parse(body);
      return { uids: accounts.map(({ uid }) => uid), accounts, nextPageToken };
    },
    async show(uid: string) {
      return adminAccountAnswerSchema.parse((await ask('adminAccount', { uid })).body);
    },
  };
}

describe('the list of accounts', () => {
  it('has the newest first, page by page', async () => {
    const { call, list, world } = createStudio();
    for (const as of ['user:ann', 'user:bob', 'user:cleo']) {
      await call('account', undefined, { as });
      await world.advance(1_000);
    }
    const first = await list({ pageSize: '2' });
    expect(first.uids).toEqual(['cleo', 'bob']);
    const second = await list({ pageSize: '2', pageToken: first.nextPageToken ?? '' });
    expect([second.uids, second.nextPageToken]).toEqual([['ann'], undefined]);
  });

  it('leaves out an account whose time an admin has replaced by a text, and logs it', async () => {
    const { list, edit, findEvents } = createStudio();
    for (const [uid, createdAt] of Object.entries({
      ann: new Date(2),
      bob: 'yesterday',
      cleo: new Date(1),
    })) {
      edit(`accounts/${uid}`, { balance: 1, createdAt });
    }
    const first = await list({ pageSize: '1' });
    const second = await list({ pageSize: '1', pageToken: first.nextPageToken ?? '' });
    expect([...first.uids, ...second.uids, second.nextPageToken]).toEqual(['ann', 'cleo', undefined]);
    const paths = findEvents('document_unreadable').map(({ path }) => path);
    expect(paths).toEqual(['accounts/bob']);
  });

  it.each(['1970-01-01', '1926-05-08', '0001-01-01'])('goes on after an account of %s', async (day) => {
    const { list, edit } = createStudio();
    for (const uid of ['ann', 'bob']) edit(`accounts/${uid}`, { balance: 1, createdAt: new Date(day) });
    const first = await list({ pageSize: '1' });
    const second = await list({ pageSize: '1', pageToken: first.nextPageToken ?? '' });
    expect([...first.uids, ...second.uids]).toEqual(['bob', 'ann']);
  });

  it('goes on after an account made by hand with an id that no user can have', async () => {
    const { list, edit } = createStudio();
    const impossible = 'x'.repeat(129);
    for (const [i, uid] of ['ann', impossible, 'cleo'].entries()) {
      edit(`accounts/${uid}`, { balance: 1, createdAt: new Date(i) });
    }
    const first = await list({ pageSize: '2' });
    const second = await list({ pageSize: '2', pageToken: first.nextPageToken ?? '' });
    expect([...first.uids, ...second.uids]).toEqual(['cleo', impossible, 'ann']);
  });

  it('refuses the page token of another list', async () => {
    const { ask } = createStudio();
    const { status } = await ask('adminAccounts', { pageToken: Buffer.from('[1]').toString('base64url') });
    expect(status).toBe(400);
  });

  it('says what an admin must correct', async () => {
    const { call, list, edit } = createStudio();
    await call('account');
    edit('accounts/ann', { balance: 'ten' });
    const { accounts } = await list();
    expect(accounts).toMatchObject([
      { uid: 'ann', balance: null, problem: expect.stringContaining('balance') },
    ]);
  });
});

describe('a search', () => {
  it('finds by uid, by the address of an account, and by the id of a generation', async () => {
    const { call, list, generate } = createStudio();
    const { body } = await generate('a');
    await call('account', undefined, { as: 'user:bob' });
    expect((await list({ find: 'bob' })).uids).toEqual(['bob']);
    expect((await list({ find: ' ann ' })).uids).toEqual(['ann']);
    expect((await list({ find: body.generation.id })).uids).toEqual(['ann']);
    const { accounts } = await list({ find: 'ann' });
    expect((await list({ find: accounts[0]?.email ?? '' })).uids).toEqual(['ann']);
  });

  it('finds an unverified address, which only Firebase Authentication knows', async () => {
    const asked: string[] = [];
    const users = {
      lookUp: async () => [],
      remove: async () => {},
      async findByEmail(email: string) {
        asked.push(email);
        return ['bob', 'nobody'];
      },
    };
    const { call, list } = createStudio({ users });
    await call('account', undefined, { as: 'user:bob' });
    expect((await list({ find: 'Bob@Example.com' })).uids).toEqual(['bob']);
    expect(asked).toEqual(['bob@example.com']);
  });

  it('finds nothing for what nobody has', async () => {
    const { list } = createStudio();
    for (const find of ['nobody', 'nobody@example.com', 'f'.repeat(32), 'cs_test_1', 'a/b', '..']) {
      expect([find, (await list({ find })).uids]).toEqual([find, []]);
    }
  });
});

describe('one account', () => {
  it('has its entries with their actors, generations, purchases, and what admins did', async () => {
    const { call, generate, show, edit } = createStudio();
    await generate('a');
    await call(
      'grant',
      { uid: 'ann', amount: 5, reason: 'a present' },
      { key: 'g', as: tokens.admin('root') },
    );
    const createdAt = new Date();
    const taken = { claim: 20, refunds: { re_1: 100 }, disputes: {}, createdAt, updatedAt: createdAt };
    edit('accounts/ann/purchases/cs_1', {
      ...{ pack: 'starter', credits: 100, amount: 500, tax: 0, currency: 'usd', paymentIntent: 'pi_1' },
      ...taken,
    });
    const shown = await show('ann');
    expect(shown.account).toMatchObject({ uid: 'ann', balance: 104, sequence: 3 });
    expect(shown.entries.map(({ type }) => type)).toEqual(['grant', 'debit', 'grant']);
    expect(shown.entries[0]).toMatchObject({ reason: 'a present', actor: expect.any(String) });
    expect(shown.generations).toMatchObject([{ status: 'succeeded' }]);
    expect(shown.purchases).toMatchObject([{ id: 'cs_1', takenBack: 20, refunds: ['re_1'] }]);
    expect(shown.actions).toMatchObject([{ action: 'grant', amount: 5, reason: 'a present' }]);
  });

  it('is not found if there is none', async () => {
    expect((await createStudio().ask('adminAccount', { uid: 'nobody' })).status).toBe(404);
  });
});
