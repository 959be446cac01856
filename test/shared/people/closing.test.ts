/** Closing an account: what is refused from then on, what is erased, and what stays. */
import { describe, expect, it } from 'vitest';
import { hashGenerationId } from '../../../shared/generation/record.ts';
import { tokens } from '../../simulation/instance.ts';
import { canary, createClosingWorld, fillPerson, findCanary } from '../../support/closing.ts';
import { image, toOutcome } from '../../support/memoryStudio.ts';

const root = tokens.admin('root');

async function startFilled(env?: Record<string, string>) {
  const closing = createClosingWorld(env);
  const studio = closing.start();
  await fillPerson(studio);
  return { ...closing, studio };
}

const outcome = (reply: unknown) => toOutcome(reply as Parameters<typeof toOutcome>[0]);

describe('closeAccount', () => {
  it('needs the word, and names the field', async () => {
    const { close } = createClosingWorld().start();
    const reply = await close('close');
    expect(outcome(reply)).toEqual([400, 'INVALID_REQUEST']);
    expect(reply.body.error.details).toMatchObject([
      {},
      { fieldViolations: [{ field: 'confirm', description: 'must be CLOSE' }] },
    ]);
  });

  it('answers closed, again and from another instance too', async () => {
    const { studio, start, users } = await startFilled();
    expect(await studio.close()).toMatchObject({ status: 200, body: { status: 'closed' } });
    expect(await start().close()).toMatchObject({ status: 200, body: { status: 'closed' } });
    expect(users.deleted).toEqual(['ann']);
  });

  it('deletes the customers at Stripe, and ends the share page', async () => {
    const { studio, documents, customers } = await startFilled();
    const list = (collection: string) => [...documents.keys()].filter((path) => path.startsWith(collection));
    expect([list('shares/').length, list('reports/').length]).toEqual([1, 1]);
    await studio.close();
    expect(customers).toEqual(['cus_1', 'cus_2']);
    expect([list('shares/').length, list('reports/').length]).toEqual([0, 1]);
  });

  it('erases every text of the person, and the image store and the log have none', async () => {
    const { studio, documents, images } = await startFilled();
    expect(findCanary(documents).length).toBeGreaterThan(8);
    // Two images, and the copy of the shared one.
    expect(images.size).toBe(3);
    await studio.close();
    await studio.sweep();
    expect(findCanary(documents)).toEqual([]);
    expect([...images]).toEqual([]);
    expect(JSON.stringify(studio.lines)).not.toContain(canary);
    expect([...documents.keys()].filter((path) => /^(outbox|cache|erasures)\//.test(path))).toEqual([]);
  });

  it('keeps the account, its identities, and entries with amounts, times and ids', async () => {
    const { studio, documents } = await startFilled();
    const entries = () => [...documents].filter(([path]) => path.startsWith('accounts/ann/entries/'));
    const before = structuredClone(entries());
    const { balance, sequence } = studio.account() ?? {};
    await studio.close();
    const books = ([path, { reason: _, actor: __, ...data }]: (typeof before)[number]) => [path, data];
    expect(entries().map(books)).toEqual(before.map(books));
    expect(documents.get(`accounts/ann/entries/${hashGenerationId('ann', 'refused')}:refund`)?.reason).toBe(
      'CONTENT_BLOCKED',
    );
    expect(studio.account()).toMatchObject({
      balance,
      sequence,
      identities: ['ann'],
      closedAt: expect.any(Date),
    });
    expect(studio.account()).not.toHaveProperty('email');
    expect(documents.get('identities/ann')).toMatchObject({ uids: ['ann'], signupAt: expect.any(Date) });
    const audit = await studio.get('audit', { uid: 'ann' }, root);
    expect(audit.body.accounts).toMatchObject([{ ok: true, differences: [] }]);
  });

  it('closes an account that an admin must correct, and one that was never used', async () => {
    const { studio, documents } = await startFilled();
    studio.edit('accounts/ann', { balance: 'ten', sequence: 99, suspended: 'yes' });
    expect((await studio.close()).body).toEqual({ status: 'closed' });
    expect((await studio.close('CLOSE', 'user:new')).body).toEqual({ status: 'closed' });
    expect(documents.get('accounts/new')).toMatchObject({ closedAt: expect.any(Date) });
    expect(findCanary(documents)).toEqual([]);
  });

  it('erases the reason of a grant whose entry an admin has deleted', async () => {
    const { studio, documents, world } = await startFilled();
    const entries = [...documents.keys()].filter((path) => path.startsWith('accounts/ann/entries/grant:'));
    expect(entries).toHaveLength(1);
    world.store.commit(entries.map((path) => ({ delete: path })));
    await studio.close();
    expect(findCanary(documents)).toEqual([]);
  });

  it('erases a generation that an admin has spoilt', async () => {
    const { studio, documents, images } = await startFilled();
    const path = `accounts/ann/generations/${hashGenerationId('ann', 'enhanced')}`;
    studio.edit(path, { tier: 'huge' });
    expect((await studio.close()).body).toEqual({ status: 'closed' });
    await studio.sweep();
    expect(findCanary(documents)).toEqual([]);
    expect([...images]).toEqual([]);
  });
});

describe('afterwards', () => {
  it('an old token gets 409 from whatever costs credits, in the order of the contract', async () => {
    const { studio } = await startFilled({ TERMS_VERSION: '1' });
    await studio.close();
    studio.edit('accounts/ann', { suspended: true });
    const accept = studio.call('acceptTerms', { version: '1' });
    for (const reply of [await studio.generate('new'), await studio.enhance(), await accept]) {
      expect(outcome(reply)).toEqual([409, 'ACCOUNT_CLOSED']);
    }
    studio.edit('accounts/ann', { balance: 'ten' });
    expect(outcome(await studio.generate('newer'))).toEqual([409, 'ACCOUNT_INVALID']);
  });

  it('a used key is still replayed', async () => {
    const { studio } = await startFilled();
    await studio.close();
    expect(outcome(await studio.generate('maker', { prompt: `A ${canary}` }))).toEqual([410, 'DELETED']);
  });

  it('account shows that it is closed, and brings neither the address nor an allowance back', async () => {
    const { studio, world } = await startFilled({ ALLOWANCE_CREDITS: '1000', ALLOWANCE_PERIOD: 'day' });
    await studio.close();
    world.advance(200_000_000);
    const { account } = (await studio.get('account')).body;
    expect(account).toMatchObject({ email: null, closedAt: expect.stringMatching(/^2026-01-0/) });
    expect(account).not.toHaveProperty('allowance');
    await studio.runJob('refillAllowances');
    expect(studio.account()).not.toHaveProperty('email');
    expect(studio.account()?.balance).toBe(30);
    // Even if an admin resets what the ledger knows of the signup.
    studio.edit('accounts/ann', { signupDue: true, identities: [] });
    await studio.get('account', {}, 'user:ann:other');
    expect(studio.account()).toMatchObject({ balance: 30, identities: [] });
  });

  it('a grant is refused, and an edit in the console is recorded without its note', async () => {
    const { studio, documents } = await startFilled();
    await studio.close();
    const body = { uid: 'ann', amount: 5, reason: 'sorry' };
    const grant = await studio.send({ name: 'grant', method: 'POST', as: root, body, key: 'late' });
    expect(outcome(grant)).toEqual([409, 'ACCOUNT_CLOSED']);
    studio.edit('accounts/ann', { balance: 3, note: canary });
    const { body: answer } = await studio.runJob('reconcile');
    expect(answer).toMatchObject({ adjusted: 1, broken: [] });
    expect(findCanary(documents)).toEqual([]);
  });

  it('an account that an admin deletes in the console stays closed', async () => {
    const { studio, world } = await startFilled();
    await studio.close();
    world.store.commit([{ delete: 'accounts/ann' }]);
    expect(outcome(await studio.generate('new'))).toEqual([409, 'ACCOUNT_CLOSED']);
    expect(studio.account()).not.toHaveProperty('email');
  });

  it('the person who comes back gets no signup credits', async () => {
    const { studio } = await startFilled();
    await studio.close();
    const { account } = (await studio.get('account', {}, 'user:ann2:ann')).body;
    expect(account).toMatchObject({ uid: 'ann2', balance: 0 });
    expect(account).not.toHaveProperty('closedAt');
  });
});

describe('while an image is made', () => {
  it('it is finished and paid for, then erased with the rest', async () => {
    const { start, documents, images, world } = createClosingWorld();
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const studio = start({
      async imageGenerator() {
        begun.resolve();
        await gate.promise;
        return image();
      },
    });
    const reply = studio.generate('slow', { prompt: `A ${canary}` });
    await begun.promise;
    expect((await studio.close()).body).toEqual({ status: 'closing' });
    expect((await start().close()).body).toEqual({ status: 'closing' });
    gate.resolve();
    expect(await reply).toMatchObject({ status: 200, body: { receipt: { charged: 1, refunded: 0 } } });
    await studio.sweep();
    await studio.sweep();
    expect(documents.get('closures/ann')).toMatchObject({ status: 'closed', cause: 'user' });
    expect([findCanary(documents), [...images]]).toEqual([[], []]);
    expect(studio.account()?.balance).toBe(9);
    expect(world.store.read(['closures/ann']).documents).toHaveLength(1);
  });

  it('by a worker that dies, it is refunded after its deadline, and then erased', async () => {
    const { start, documents, world } = createClosingWorld();
    const begun = Promise.withResolvers<void>();
    const studio = start({
      imageGenerator() {
        begun.resolve();
        return new Promise(() => {});
      },
    });
    void studio.generate('dead', { prompt: `A ${canary}` });
    await begun.promise;
    const other = start();
    expect((await other.close()).body).toEqual({ status: 'closing' });
    world.advance(200_000);
    await other.sweep();
    await other.sweep();
    expect(documents.get('closures/ann')).toMatchObject({ status: 'closed' });
    expect([findCanary(documents), studio.account()?.balance]).toEqual([[], 10]);
  });
});

it('a twin that the cache makes behind the page that was read is erased too', async () => {
  const { start, documents, images } = createClosingWorld();
  await start().generate('a', { prompt: `A ${canary}` });
  const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  // The hold of the twin has read the account before it closes.
  const late = start({
    faults: (database) => ({
      async commit(writes) {
        reached.resolve();
        await gate.promise;
        return database.commit(writes);
      },
    }),
  });
  const twin = late.generate('b', { prompt: `A ${canary}` });
  await reached.promise;
  const closer = start({
    faults: (database) => ({
      async page(request) {
        const page = await database.page(request);
        if (request.collection === 'accounts/ann/generations' && !request.where) {
          gate.resolve();
          expect((await twin).status).toBe(200);
        }
        return page;
      },
    }),
  });
  expect((await closer.close()).body).toEqual({ status: 'closed' });
  await closer.sweep();
  expect([findCanary(documents), [...images]]).toEqual([[], []]);
});

it('an account that an admin opens again in between is closed once more, from the start', async () => {
  const { start, documents, images, world } = createClosingWorld();
  const studio = start();
  await fillPerson(studio);
  let isOpen = false;
  const closer = start({
    faults: (database) => ({
      async page(request) {
        if (request.collection.endsWith('/enhancements') && !isOpen) {
          isOpen = true;
          const { closedAt: _, ...account } = studio.account() ?? {};
          world.store.commit([{ set: 'accounts/ann', data: { ...account, balance: 40, note: canary } }]);
          expect((await studio.generate('late', { prompt: canary })).status).toBe(200);
        }
        return database.page(request);
      },
    }),
  });
  expect((await closer.close()).body).toEqual({ status: 'closed' });
  await closer.sweep();
  expect([findCanary(documents), [...images]]).toEqual([[], []]);
  expect(studio.account()).toMatchObject({ closedAt: expect.any(Date) });
});

it.each([
  ['an admin makes by hand', { balance: 40, note: canary }],
  ['a late commit of its first use makes', { balance: 0, signupDue: true }],
])('a closed account that %s is closed by its next use', async (_, data) => {
  const { start, world } = createClosingWorld();
  const studio = start();
  await fillPerson(studio);
  await studio.close();
  await studio.sweep();
  world.store.commit([{ delete: 'accounts/ann' }]);
  world.store.commit([{ set: 'accounts/ann', data }]);
  expect(toOutcome(await studio.generate('late', { prompt: canary }))).toEqual([409, 'ACCOUNT_CLOSED']);
  expect(studio.account()).toMatchObject({ closedAt: expect.any(Date) });
  expect(studio.account()?.email).toBeUndefined();
});

describe('the user', () => {
  it('is deleted last, and by a later sweep if Firebase Authentication fails', async () => {
    const { studio, users, documents, world } = await startFilled();
    users.down = true;
    expect((await studio.close()).body).toEqual({ status: 'closing' });
    expect(findCanary(documents)).toEqual([]);
    await studio.sweep();
    world.advance(90_000_000);
    await studio.sweep();
    expect(studio.findEvents('closing_overdue')).toMatchObject([{ uid: 'ann', step: 'user' }]);
    users.down = false;
    const { body } = await studio.sweep();
    expect(body).toEqual({ refunded: 0, deletedAssets: 0 });
    expect(users.deleted).toEqual(['ann']);
    expect(documents.get('closures/ann')).toMatchObject({ status: 'closed' });
  });
});

it('an account with several pages of generations and entries', async () => {
  const { start, documents, world, images } = createClosingWorld({ MAX_PER_MINUTE_PER_USER: '1000' });
  const studio = start();
  studio.edit('accounts/ann', { balance: 200 });
  for (let i = 0; i < 120; i += 1) {
    await studio.generate(`key ${i}`, { prompt: `${canary} ${i}` });
    world.advance(1_000);
  }
  expect((await studio.close()).body).toEqual({ status: 'closed' });
  for (let i = 0; i < 2; i += 1) await studio.sweep();
  expect([findCanary(documents), [...images]]).toEqual([[], []]);
});
