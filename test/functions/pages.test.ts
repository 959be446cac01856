/** `ledger` and `gallery`: pages by cursor, newest first. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { type Entry, entrySchema, type Generation, generationSchema } from '../../shared/contract.ts';
import type { StoredDocument, Write } from '../../shared/database/database.ts';
import { hashGenerationId } from '../../shared/generation/record.ts';
import { type GatedGemini, startGatedGemini } from '../support/modelGate.ts';
import { getDetail, getRefusal } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';
import type { User } from '../support/users.ts';

let stack: Stack;
let gemini: GatedGemini;
beforeAll(async () => {
  gemini = await startGatedGemini();
  stack = await startStack({ GOOGLE_GEMINI_BASE_URL: gemini.url, MAX_PER_MINUTE_PER_USER: '1000' });
});
afterAll(async () => {
  await stack.close();
  await gemini.close();
});

type ListName = 'ledger' | 'gallery';
type Item = { id: string; createdAt: string };
const listFields = { ledger: 'entries', gallery: 'generations' } as const;

/** Every page of a list from the first to the last. `between` runs after each. */
async function allPages<T extends Item>(
  user: User,
  list: ListName,
  pageSize: number,
  between: () => Promise<void> = async () => {},
): Promise<T[][]> {
  const pages: T[][] = [];
  for (let token: string | undefined = ''; token !== undefined; ) {
    const { status, body } = await user.get(
      `${list}?pageSize=${pageSize}${token && `&pageToken=${encodeURIComponent(token)}`}`,
    );
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(
      body.nextPageToken === undefined ? [listFields[list]] : [listFields[list], 'nextPageToken'],
    );
    pages.push(body[listFields[list]]);
    token = body.nextPageToken;
    await between();
  }
  return pages;
}

/** Copies an account's newest entry and generation, to fill pages without generating a hundred images. */
async function fillPages(uid: string, count: number) {
  const newest = async (collection: string) =>
    (
      await stack.database.page({
        collection: `accounts/${uid}/${collection}`,
        orderBy: [['createdAt', 'desc']],
        limit: 1,
      })
    ).documents[0] as StoredDocument;
  const [entry, image] = [await newest('entries'), await newest('generations')];
  const sequence = Number(entry.data.sequence);
  const writes = Array.from({ length: count }, (_, i): Write[] => {
    const id = hashGenerationId(uid, `filler ${i}`);
    // Two at each moment, as concurrent calls may have.
    const createdAt = new Date(Number(image.data.createdAt) + 1 + Math.floor(i / 2));
    return [
      { create: `accounts/${uid}/generations/${id}`, data: { ...image.data, createdAt } },
      {
        create: `accounts/${uid}/entries/${id}:debit`,
        data: {
          ...entry.data,
          generationId: id,
          sequence: sequence + i + 1,
          balance: Number(entry.data.balance) - i - 1,
          createdAt,
        },
      },
    ];
  });
  await stack.edit(`accounts/${uid}`, {
    sequence: sequence + count,
    balance: Number(entry.data.balance) - count,
    settled: Number(entry.data.balance) - count,
  });
  await stack.database.commit(writes.flat());
}

const ids = (items: readonly Item[]) => items.map(({ id }) => id);

describe('pages', () => {
  /** A user with this number of images and entries. */
  async function collector(uid: string, count: number): Promise<User> {
    const made = await stack.user(uid, 1000);
    for (const key of ['first', 'second']) expect((await made.generate(key)).status).toBe(200);
    await fillPages(uid, count - 2);
    return made;
  }
  let small: User;
  let large: User;
  beforeAll(async () => {
    small = await collector('small', 26);
    large = await collector('large', 103);
  });

  it.each<[ListName, number]>([
    ['gallery', 1],
    ['gallery', 3],
    ['gallery', 100],
    ['ledger', 1],
    ['ledger', 3],
    ['ledger', 100],
  ])('%s by %i: every item exactly once, newest first, while new ones are added', async (list, pageSize) => {
    const user = pageSize < 100 ? small : large;
    const newest = (await user.get(`${list}?pageSize=1`)).body[listFields[list]][0].id;
    let added = 0;
    const pages = await allPages<Entry & Generation>(user, list, pageSize, async () => {
      if (added < 3) expect((await user.generate(`${list} ${pageSize} ${added++}`)).status).toBe(200);
    });

    const items = pages.flat();
    expect(pages.slice(0, -1).every((page) => page.length === pageSize)).toBe(true);
    expect(items[0]?.id).toBe(newest);
    expect(new Set(ids(items)).size).toBe(items.length);
    const order = items.map(({ sequence, createdAt }) => sequence ?? Date.parse(createdAt));
    expect(order).toEqual([...order].sort((a, b) => b - a));
    // Everything that existed at the beginning: everything now except what was added.
    const now = (await allPages<Item>(user, list, 100)).flat();
    expect(ids(items)).toEqual(ids(now).slice(added));
    expect(ids(now)).toContain(
      list === 'gallery'
        ? hashGenerationId(user.uid, 'first')
        : `${hashGenerationId(user.uid, 'first')}:debit`,
    );
  });

  it.each<ListName>(['gallery', 'ledger'])('%s has 20 items to a page by default', async (list) => {
    const { body } = await small.get(list);
    expect(body[listFields[list]]).toHaveLength(20);
    expect(body.nextPageToken).toEqual(expect.any(String));
  });

  it.each<ListName>(['gallery', 'ledger'])(
    '%s ends without a token if its last page is full',
    async (list) => {
      const user = await stack.user(`exact-${list}`, 5);
      await user.generate('a');
      await user.generate('b');
      const size = list === 'gallery' ? 2 : 3;
      const { body } = await user.get(`${list}?pageSize=${size}`);
      expect(body[listFields[list]]).toHaveLength(size);
      expect(body).not.toHaveProperty('nextPageToken');
    },
  );

  it.each<ListName>(['gallery', 'ledger'])('%s returns the same page for the same token', async (list) => {
    const { body } = await small.get(`${list}?pageSize=5`);
    const next = `${list}?pageSize=5&pageToken=${body.nextPageToken}`;
    expect((await small.get(next)).body).toEqual((await small.get(next)).body);
  });
});

describe('a list', () => {
  it('has exactly the shape of the contract', async () => {
    const user = await stack.user('shapes', 10);
    const { body } = await user.generate('k', { tier: 'premium2', orientation: 'portrait', prompt: 'A fig' });
    gemini.script(geminiFault.promptBlocked());
    const failed = await user.generate('blocked');
    await stack.edit('accounts/shapes', { adjust: 5, note: 'sorry' });
    await user.get('account');

    const { entries } = (await user.get('ledger')).body;
    const [id, failedId] = [body.generation.id, hashGenerationId('shapes', 'blocked')];
    expect(failed.status).toBe(422);
    for (const entry of entries) entrySchema.parse(entry);
    const createdAt = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(entries).toEqual([
      {
        id: 'adjustment:5',
        sequence: 5,
        type: 'adjustment',
        amount: 5,
        balance: 13,
        reason: 'sorry',
        createdAt,
      },
      {
        id: `${failedId}:refund`,
        sequence: 4,
        type: 'refund',
        amount: 1,
        balance: 8,
        generationId: failedId,
        reason: 'CONTENT_BLOCKED',
        createdAt,
      },
      {
        id: `${failedId}:debit`,
        sequence: 3,
        type: 'debit',
        amount: -1,
        balance: 7,
        generationId: failedId,
        createdAt,
      },
      { id: `${id}:debit`, sequence: 2, type: 'debit', amount: -2, balance: 8, generationId: id, createdAt },
      { id: 'adjustment:1', sequence: 1, type: 'adjustment', amount: 10, balance: 10, createdAt },
    ]);

    const { generations } = (await user.get('gallery')).body;
    expect(generations).toEqual([body.generation]);
    expect(generationSchema.parse(generations[0])).toMatchObject({
      id,
      status: 'succeeded',
      tier: 'premium2',
      orientation: 'portrait',
      prompt: 'A fig',
    });
  });

  it('contains only succeeded generations in the gallery', async () => {
    const user = await stack.user('mixed', 10);
    await user.generate('kept');
    await user.generate('removed');
    await user.post('deleteGeneration', { id: hashGenerationId('mixed', 'removed') });
    gemini.script(geminiFault.promptBlocked());
    await user.generate('failed');
    await gemini.during(
      () => user.generate('pending'),
      async () => {
        const { body } = await user.get('gallery');
        expect(ids(body.generations)).toEqual([hashGenerationId('mixed', 'kept')]);
      },
    );
    expect(ids((await user.get('gallery')).body.generations)).toEqual([
      hashGenerationId('mixed', 'pending'),
      hashGenerationId('mixed', 'kept'),
    ]);
    // The ledger keeps the entries of all of them.
    expect((await user.get('ledger')).body.entries).toHaveLength(1 + 4 + 1);
  });

  it("contains the caller's own items, also with another user's page token", async () => {
    const mine = await stack.user('mine', 5);
    const other = await stack.user('other', 5);
    await mine.generate('same key');
    await mine.generate('another key');
    await other.generate('same key');
    const others = (await allPages<Item>(other, 'gallery', 1)).flat();
    expect(ids(others)).toEqual([hashGenerationId('other', 'same key')]);
    expect((await allPages<Entry>(other, 'ledger', 1)).flat()).toHaveLength(2);
    const { nextPageToken } = (await mine.get('gallery?pageSize=1')).body;
    const { body } = await other.get(`gallery?pageToken=${nextPageToken}`);
    expect(ids(body.generations)).not.toContain(hashGenerationId('mine', 'same key'));
  });

  it('is empty for a new user, without creating an account', async () => {
    const user = await stack.user('newcomer');
    expect((await user.get('ledger')).body).toEqual({ entries: [] });
    expect((await user.get('gallery')).body).toEqual({ generations: [] });
    expect(await stack.document('accounts/newcomer')).toBeUndefined();
  });
});

describe('refuses an invalid query and names its field', () => {
  const token = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const id = '0'.repeat(32);

  it.each([
    ['pageSize=0', 'pageSize'],
    ['pageSize=101', 'pageSize'],
    ['pageSize=-1', 'pageSize'],
    ['pageSize=1.5', 'pageSize'],
    ['pageSize=many', 'pageSize'],
    ['pageSize=', 'pageSize'],
    ['pageSize=1&pageSize=2', 'pageSize'],
    ['pageToken=', 'pageToken'],
    ['pageToken=nonsense', 'pageToken'],
    [`pageToken=${'A'.repeat(1025)}`, 'pageToken'],
    [`pageToken=${token(null)}`, 'pageToken'],
    [`pageToken=${token([])}`, 'pageToken'],
    [`pageToken=${token({ sequence: 1 })}`, 'pageToken'],
    [`pageToken=${token(['2026-01-01T00:00:00.000Z'])}`, 'pageToken'],
    [`pageToken=${token(['yesterday', id])}`, 'pageToken'],
    [`pageToken=${token(['2026-01-01T00:00:00.000Z', '../../../accounts/mine'])}`, 'pageToken'],
    [`pageToken=${token(['2026-01-01T00:00:00.000Z', ''])}`, 'pageToken'],
    [`pageToken=${token(['0000-01-01T00:00:00.000Z', id])}`, 'pageToken'],
    [`pageToken=${token(['2026-01-01T00:00:00.000Z', id, 1])}`, 'pageToken'],
    [`pageToken=${token([1.5])}`, 'pageToken'],
    [`pageToken=${token(['1'])}`, 'pageToken'],
    ['page=2', 'page'],
    ['uid=other', 'uid'],
  ])('%s', async (query, field) => {
    const user = await stack.user('asker');
    for (const list of ['ledger', 'gallery']) {
      const refused = await user.get(`${list}?${query}`);
      expect([list, ...getRefusal(refused)]).toEqual([list, 400, 'INVALID_REQUEST']);
      expect(getDetail(refused, 'BadRequest').fieldViolations).toMatchObject([{ field }]);
    }
  });

  it.each<[ListName, ListName]>([
    ['ledger', 'gallery'],
    ['gallery', 'ledger'],
  ])('refuses a token of the %s in the %s', async (from, to) => {
    const user = await stack.user('small');
    const { nextPageToken } = (await user.get(`${from}?pageSize=1`)).body;
    expect((await user.get(`${to}?pageToken=${nextPageToken}`)).status).toBe(400);
  });

  it.each<ListName>(['ledger', 'gallery'])('%s is for signed-in users, with GET', async (list) => {
    expect((await stack.fetch(list)).status).toBe(401);
    expect((await (await stack.user('asker')).post(list, {})).status).toBe(405);
  });
});
