/** The export: what is in it, what is left out, and what it does about documents that cannot be read. */
import { expect, it } from 'vitest';
import { type AccountExport, exportAnswerSchema } from '../../../shared/contract.ts';
import { Failure } from '../../../shared/errors.ts';
import { createLedger } from '../../../shared/ledger/ledger.ts';
import { exportAccount } from '../../../shared/people/exportAccount.ts';
import { createMemoryStudio, createMemoryWorld, image } from '../../support/memoryStudio.ts';
import { createPaymentStudio } from '../../support/paymentStudio.ts';
import { onePixelPng } from '../../support/pictures.ts';

const write = async () => ({
  text: '{"prompt":"Better","ok":true}',
  finishReason: 'STOP',
  providerCostMicros: 7,
});

function startStudio() {
  const world = createMemoryWorld();
  const studio = createMemoryStudio({
    world,
    env: { TERMS_VERSION: '1', PROMPT_TIMEOUT_MS: '1000' },
    write: write as never,
    async imageGenerator(request) {
      if (JSON.stringify(request).includes('fails')) throw new Failure('NO_IMAGE', 'No image.');
      return {
        mimeType: 'image/png',
        width: 1024,
        height: 1024,
        bytes: 3,
        chunks: [new Uint8Array(3)],
        model: 'model',
        providerCostMicros: 39_000,
      };
    },
  });
  const set = (path: string, data: object) => world.store.commit([{ set: path, data } as never]);
  const change = (path: string, data: object) =>
    set(path, { ...world.store.read([path]).documents[0]?.data, ...data });
  const readExport = async () => (await studio.call('exportAccount')).body as unknown as AccountExport;
  return { ...studio, world, set, change, readExport };
}

/** A user with an account, an image, a refund, a deleted image and an improved prompt. */
async function startWithData() {
  const studio = startStudio();
  await studio.call('acceptTerms', { version: '1' });
  const { body } = await studio.generate('a', { prompt: 'The first' });
  await studio.generate('b', { prompt: 'It fails' });
  const deleted = await studio.generate('c', {
    prompt: 'A deleted one',
    references: [{ mimeType: 'image/png', data: onePixelPng.toString('base64') }],
  });
  await studio.deleteGeneration(deleted.body.generation.id);
  await studio.call('enhance', { prompt: 'A banana' });
  await studio.call('share', { id: body.generation.id, shared: true });
  return { ...studio, id: body.generation.id, deletedId: deleted.body.generation.id };
}

it('has the account, every entry, every generation in its state, and the improved prompts', async () => {
  const { readExport, id, deletedId } = await startWithData();
  const data = await readExport();
  expect(exportAnswerSchema.safeParse(data).error).toBeUndefined();
  expect(data).toMatchObject({ format: 'nano-banana-studio/export', version: 1, unreadable: [] });
  expect(data.account).toMatchObject({
    uid: 'ann',
    balance: 98,
    email: 'ann@example.com',
    terms: { version: '1', acceptedAt: expect.stringMatching(/^2026-01-01T.*Z$/) },
  });
  expect(data.entries.map(({ type }) => type).sort()).toEqual(['debit', 'debit', 'debit', 'grant', 'refund']);
  const byStatus = Object.fromEntries(data.generations.map((one) => [one.status, one]));
  expect(byStatus.succeeded).toMatchObject({
    id,
    prompt: 'The first',
    image: { url: expect.stringMatching(/^https:/) },
    receipt: { charged: 1 },
  });
  expect(byStatus.refunded).toMatchObject({ prompt: 'It fails', failure: { reason: 'NO_IMAGE' } });
  expect(byStatus.deleted).toMatchObject({
    id: deletedId,
    prompt: null,
    image: null,
    references: [expect.stringMatching(/^[0-9a-f]{64}$/)],
  });
  expect(data.enhancements).toMatchObject([{ date: '2026-01-01', count: 1 }]);
  const { shareUrl } = byStatus.succeeded ?? {};
  expect(data.shares).toMatchObject([{ generationId: id, shareUrl, image: { width: 1024 } }]);
});

it('has the lineage, the group, the original prompt and the thought signature, which no other answer has', async () => {
  const studio = createMemoryStudio({
    imageGenerator: async () => ({ ...image(), thoughtSignature: 'c2ln' }),
  });
  const { body } = await studio.generate('a');
  const words = { originalPrompt: 'night', group: 'one' };
  const edit = await studio.generate('b', { editOf: body.generation.id, ...words });
  const data = (await studio.call('exportAccount')).body as unknown as AccountExport;
  expect(exportAnswerSchema.safeParse(data).error).toBeUndefined();
  expect(data.generations.find(({ id }) => id === edit.body.generation.id)).toMatchObject({
    ...words,
    parentId: body.generation.id,
    thoughtSignature: 'c2ln',
  });
  const answers = [edit, await studio.get('gallery'), await studio.get('generation', { key: 'b' })];
  expect(JSON.stringify(answers)).not.toContain('c2ln');
});

it('has what was paid, and what of it came back', async () => {
  const studio = await createPaymentStudio();
  const sessionId = await studio.buy();
  await studio.confirm(sessionId);
  studio.edit(`accounts/ann/purchases/${sessionId}`, { claim: 20, refunds: { re_1: 100 } });
  const data = (await studio.call('exportAccount')).body as unknown as AccountExport;
  expect(exportAnswerSchema.safeParse(data).error).toBeUndefined();
  expect(data.purchases).toEqual([
    {
      sessionId,
      pack: 'starter',
      credits: 100,
      amount: 500,
      tax: 0,
      currency: 'usd',
      paymentIntent: expect.stringMatching(/^pi_/),
      claim: 20,
      refunds: { re_1: 100 },
      disputes: {},
      createdAt: expect.stringMatching(/^2026-01-01T/),
      updatedAt: expect.stringMatching(/^2026-01-01T/),
    },
  ]);
});

it("has no other user's documents", async () => {
  const studio = await startWithData();
  const { entries, generations, shares } = await studio.readExport();
  for (const path of ['entries/x', 'generations/x', 'enhancements/2026-01-01'])
    studio.set(`accounts/annabel/${path}`, {});
  studio.set('accounts/annabel', { balance: 5 });
  studio.set('shares/x', { uid: 'annabel' });
  expect(await studio.readExport()).toMatchObject({ entries, generations, shares, unreadable: [] });
});

it('has neither the admins behind entries, nor what identifies attempts, nor what providers billed', async () => {
  const studio = await startWithData();
  studio.change('accounts/ann/entries/signup', { actor: 'root root@example.com' });
  const text = JSON.stringify(await studio.readExport());
  const [document] = studio.world.store.read([`accounts/ann/generations/${studio.id}`]).documents;
  const fingerprint = String(document?.data.fingerprint);
  expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
  for (const hidden of [
    fingerprint,
    'root@example.com',
    'fingerprint',
    'publicId',
    '"owner"',
    'providerCostMicros',
  ])
    expect(text).not.toContain(hidden);
});

it('leaves out a document that cannot be read, names it, and logs its path', async () => {
  const studio = await startWithData();
  studio.change(`accounts/ann/generations/${studio.id}`, { status: 'painted' });
  studio.change('accounts/ann/entries/signup', { amount: 'ten' });
  studio.change('accounts/ann/enhancements/2026-01-01', { count: 'many' });
  studio.set('accounts/ann/generations/empty', {});
  studio.set('shares/spoilt', { uid: 'ann', generationId: 5 });
  const data = await studio.readExport();
  expect(exportAnswerSchema.safeParse(data).error).toBeUndefined();
  const names = [
    'entries/signup',
    `generations/${studio.id}`,
    'generations/empty',
    'enhancements/2026-01-01',
    'shares/spoilt',
  ];
  expect(data.unreadable.toSorted()).toEqual(names.toSorted());
  expect([data.entries.length, data.generations.length, data.enhancements.length]).toEqual([4, 2, 0]);
  const logged = studio.findEvents('document_unreadable').map(({ path }) => path);
  const toPath = (name: string) => (name.startsWith('shares/') ? name : `accounts/ann/${name}`);
  expect(logged).toEqual(data.unreadable.map(toPath));
});

it.each([
  ['suspended', { suspended: true }],
  ['invalid', { balance: 'ten', adjust: 1.5 }],
  ['full of strange fields', { rate: 'text', note: 5, list: [new Date(0), null, { at: new Date(0) }] }],
])('works for an account that is %s', async (_, fields) => {
  const studio = await startWithData();
  studio.change('accounts/ann', fields);
  const { account, generations } = await studio.readExport();
  expect(generations).toHaveLength(3);
  const shown = {
    list: ['1970-01-01T00:00:00.000Z', null, { at: '1970-01-01T00:00:00.000Z' }],
  };
  expect(account).toMatchObject({ ...fields, ...('list' in fields && shown) });
});

it('is empty for a user without an account, and creates none', async () => {
  const studio = startStudio();
  expect(await studio.readExport()).toMatchObject({
    account: null,
    entries: [],
    generations: [],
    enhancements: [],
  });
  expect(studio.account()).toBeUndefined();
});

/** A database with this many entries, that counts its pages, and fails from a page on. */
function createLargeLedger(count: number, failsFrom = Number.POSITIVE_INFINITY) {
  const world = createMemoryWorld();
  const studio = createMemoryStudio({ world });
  const pages: number[] = [];
  const createdAt = new Date(0);
  for (let i = 1; i <= count; i += 1) {
    const path = `accounts/ann/entries/e${String(i).padStart(4, '0')}`;
    const data = { sequence: i, type: 'grant', amount: 1, balance: i, createdAt };
    world.store.commit([{ create: path, data } as never]);
  }
  const open = async () => {
    const ledger = await studio.services.ledger();
    const database = {
      ...ledger.database,
      async page(request: never) {
        if (pages.length >= failsFrom) throw Object.assign(new Error('unavailable'), { code: 14 });
        const answer = await ledger.database.page(request);
        pages.push(answer.documents.length);
        return answer;
      },
    };
    return createLedger(database, ledger.settings, ledger.log, world.clock);
  };
  return { pages, open };
}

it('reads a page only when the one before it was sent', async () => {
  const { pages, open } = createLargeLedger(120);
  const chunks = exportAccount(await open(), 'ann', 'https://studio.example');
  const texts: string[] = [];
  const read: number[] = [];
  for await (const chunk of chunks) {
    texts.push(chunk);
    read.push(pages.length);
  }
  const data: AccountExport = JSON.parse(texts.join(''));
  expect(data.entries.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 120 }, (_, i) => i + 1));
  // The head, then each list: its name, its pages, its end.
  expect(read).toEqual([0, 0, 1, 2, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]);
  expect(Math.max(...pages)).toBe(50);
});

it('breaks off if the database fails between two pages, and is no JSON until then', async () => {
  const { open } = createLargeLedger(120, 2);
  let text = '';
  const readAll = async () => {
    for await (const chunk of exportAccount(await open(), 'ann', 'https://studio.example')) text += chunk;
  };
  await expect(readAll()).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
  expect(text).toContain('e0050');
  expect(() => JSON.parse(text)).toThrow();
});
