/** The sweep: what is overdue is refunded once, what nobody owns is deleted for good. */
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { encodePng } from '../../local/fakes/png.ts';
import { parseConfig } from '../../shared/config/config.ts';
import { generateRequestSchema, type Tier } from '../../shared/contract.ts';
import { systemClock } from '../../shared/core/clock.ts';
import { createLog } from '../../shared/core/log.ts';
import type { Database } from '../../shared/database/database.ts';
import { hold } from '../../shared/generation/hold.ts';
import { generationPath, hashFingerprint, hashGenerationId } from '../../shared/generation/record.ts';
import type { ImageStore } from '../../shared/images/cloudinary.ts';
import { createLedger, type Ledger } from '../../shared/ledger/ledger.ts';
import { alwaysAvailable } from '../support/alwaysAvailable.ts';
import { countingDatabase } from '../support/countingDatabase.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { startPaintGate } from '../support/paintGate.ts';
import { refusalOf, refusedCallers, runJob, schedulerEnv, schedulerToken } from '../support/scheduler.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { tierCredits } from '../support/tierCredits.ts';

type Gate = Awaited<ReturnType<typeof startPaintGate>>;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const fromNow = (milliseconds: number) => new Date(Date.now() + milliseconds);
const overdue = () => fromNow(-1_000);
const servers: { close: () => Promise<void> }[] = [];

let stack: Stack;
let gate: Gate;
let ledger: Ledger;
let images: ImageStore;
let png: Buffer;

beforeAll(async () => {
  gate = await startPaintGate();
  stack = await startStack({ GOOGLE_GEMINI_BASE_URL: gate.url, ...schedulerEnv });
  const limits = { maxInFlightPerUser: 1_000, maxPerMinutePerUser: 10_000, maxRefundsPerHourPerUser: 1_000 };
  const settings = { signupCredits: 0, tierCredits, limits, holdMs: 3 * minuteMs };
  ledger = createLedger(
    stack.database,
    settings,
    createLog(() => {}),
    systemClock,
  );
  const { createImageStore } = await import('../../shared/images/cloudinary.ts');
  const { cloudinaryUrl } = stack.cloudinary;
  images = createImageStore(parseConfig({ GOOGLE_CLOUD_PROJECT: 'demo', CLOUDINARY_URL: cloudinaryUrl }));
  png = Buffer.from(await encodePng(new Uint8Array(8 * 8 * 4), 8, 8));
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await stack.close();
  await gate.close();
});
beforeEach(async () => {
  const documents = `projects/${stack.projectId}/databases/(default)/documents`;
  await fetch(`http://${inject('firestoreHost')}/emulator/v1/${documents}`, { method: 'DELETE' });
  stack.cloudinary.requests.length = 0;
  stack.logs.length = 0;
});

async function startServer(...args: Parameters<Stack['startServer']>) {
  const server = await stack.startServer(...args);
  servers.push(server);
  return server;
}

/** What a worker that died leaves: a hold that nobody settles or refunds. */
async function leaveHold(
  uid: string,
  key: string,
  { deadline = overdue(), tier = 'standard', uploaded = false }: Partial<Left> = {},
) {
  const id = hashGenerationId(uid, key);
  const request = generateRequestSchema.parse({ prompt: 'A banana on the moon', tier });
  const wanted = { id, fingerprint: hashFingerprint(request), request, availability: alwaysAvailable };
  const { record } = await hold(ledger, { uid, email: undefined, verified: false }, wanted);
  if (uploaded) await upload(record.publicId);
  await stack.edit(generationPath(uid, id), { deadline });
  return { ...record, path: generationPath(uid, id), outbox: `outbox/${id}` };
}
type Left = { deadline: Date; tier: Tier; uploaded: boolean };

const upload = (publicId: string) => images.store(publicId, [png], 5_000, new AbortController().signal);
const isStored = (publicId: string) => stack.cloudinary.assets.has(publicId);
const statusOf = async (path: string) => (await stack.document(path))?.status;
const outboxItem = async (path: string) => (await stack.document(path)) as { dueAt: Date; until: Date };
const sweep = async (url?: string) => {
  const { status, body } = await runJob(stack, 'sweepHolds', url ? { url } : {});
  expect(status).toBe(200);
  return body as { refunded: number; deletedAssets: number };
};

/** Every destroy that the image store was asked for, of this image. */
const destroys = (of: string) =>
  stack.cloudinary.requests.filter(({ action, publicId }) => action === 'destroy' && publicId === of);

describe('an overdue generation', () => {
  it('is refunded, every one of them, and the answer says how many', async () => {
    const [ann] = [await stack.user('ann', 20), await stack.user('bob', 20)];
    const left = [
      await leaveHold('ann', 'one'),
      await leaveHold('ann', 'two', { tier: 'premium4' }),
      await leaveHold('bob', 'one', { tier: 'premium2' }),
    ];
    expect(await sweep()).toEqual({ refunded: 3, deletedAssets: 0 });

    for (const { path } of left) expect(await statusOf(path)).toBe('refunded');
    for (const uid of ['ann', 'bob']) {
      const { account, entries } = await stack.ledger(uid);
      expect(account).toMatchObject({ balance: 20, settled: 20, active: {} });
      expect(entries.at(-1)).toMatchObject({ type: 'refund', reason: 'EXPIRED' });
      expect(await brokenInvariants(stack, uid)).toEqual([]);
    }
    const again = await ann.generate('one');
    expect(refusalOf(again)).toEqual([410, 'EXPIRED']);
    expect(again.body.error.details[0].metadata.retry).toBe('new_key');
    expect(again.body.receipt).toMatchObject({ charged: 1, refunded: 1 });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 0 });
  });

  it('one that nobody can read, at a time with microseconds, is tried once in a sweep', async () => {
    await stack.user('ann', 20);
    const odd = await leaveHold('ann', 'odd');
    await leaveHold('ann', 'due');
    await stack.edit(odd.path, { tier: 'golden' });
    const name = `projects/${stack.projectId}/databases/(default)/documents/${odd.path}`;
    await fetch(`http://${inject('firestoreHost')}/v1/${name}?updateMask.fieldPaths=deadline`, {
      method: 'PATCH',
      headers: { authorization: 'Bearer owner' },
      body: JSON.stringify({ fields: { deadline: { timestampValue: '2026-01-01T00:00:00.000499Z' } } }),
    });
    let pages = 0;
    const page: Database['page'] = (request) => {
      pages += 1;
      // It would go on for as long as a call may work.
      if (pages > 10) throw new Error('The sweep does not end');
      return stack.database.page(request);
    };
    const { url } = await startServer({}, { database: { ...stack.database, page } });
    expect(await sweep(url)).toEqual({ refunded: 1, deletedAssets: 0 });
    pages = 0;
    stack.logs.length = 0;
    expect(await sweep(url)).toEqual({ refunded: 0, deletedAssets: 0 });
    const failed = stack.logs.filter(({ message }) => message === 'A document could not be handled');
    expect(failed).toHaveLength(1);
  });

  it('one that is not yet due is left alone', async () => {
    await stack.user('ann', 20);
    const due = await leaveHold('ann', 'due');
    const soon = await leaveHold('ann', 'soon', { deadline: fromNow(minuteMs) });
    expect(await sweep()).toEqual({ refunded: 1, deletedAssets: 0 });
    expect([await statusOf(due.path), await statusOf(soon.path)]).toEqual(['refunded', 'pending']);
    expect((await stack.ledger('ann')).account).toMatchObject({ balance: 19, settled: 19 });
    expect(await stack.document(soon.outbox)).toBeUndefined();
  });

  it('one that has ended is left alone, whatever its deadline', async () => {
    const user = await stack.user('ann', 20);
    const made = [];
    for (const key of ['kept', 'deleted']) made.push((await user.generate(key)).body.generation);
    expect((await user.post('deleteGeneration', { id: made[1].id })).status).toBe(200);
    await leaveHold('ann', 'refunded');
    await sweep();
    for (const { id } of made) await stack.edit(generationPath('ann', id), { deadline: overdue() });
    const before = await stack.ledger('ann');
    expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 0 });
    expect(await stack.ledger('ann')).toEqual(before);
    expect((await fetch(made[0].image.url)).status).toBe(200);
  });

  it('is refunded by the clock of the database, not of this machine', async () => {
    await stack.user('ann', 20);
    const past = await leaveHold('ann', 'past');
    const future = await leaveHold('ann', 'future', { deadline: fromNow(hourMs / 2) });
    const shifted = (milliseconds: number): Database => ({
      ...stack.database,
      async read(paths) {
        const { documents, readTime } = await stack.database.read(paths);
        return { documents, readTime: new Date(readTime.getTime() + milliseconds) };
      },
      async page(request) {
        const { documents, readTime } = await stack.database.page(request);
        return { documents, readTime: new Date(readTime.getTime() + milliseconds) };
      },
    });
    const slow = await startServer({}, { database: shifted(-hourMs) });
    expect(await sweep(slow.url)).toEqual({ refunded: 0, deletedAssets: 0 });
    expect(await statusOf(past.path)).toBe('pending');
    const fast = await startServer({}, { database: shifted(hourMs) });
    expect(await sweep(fast.url)).toMatchObject({ refunded: 2 });
    expect(await statusOf(future.path)).toBe('refunded');
  });

  it('goes oldest first', async () => {
    const minutes = [7, 3, 11, 1, 9, 5, 2, 12, 8, 4, 10, 6];
    const left = [];
    for (const minute of minutes) {
      await stack.user(`user-${minute}`, 5);
      left.push(await leaveHold(`user-${minute}`, 'k', { deadline: fromNow(-minute * minuteMs) }));
    }
    const taken: string[] = [];
    const watched: Database = {
      ...stack.database,
      read(paths) {
        taken.push(...paths.filter((path) => path.includes('/generations/')));
        return stack.database.read(paths);
      },
    };
    const { url } = await startServer({}, { database: watched });
    expect(await sweep(url)).toMatchObject({ refunded: 12 });
    const oldestFirst = left.toSorted((a, b) => Number(b.uid.slice(5)) - Number(a.uid.slice(5)));
    expect([...new Set(taken)]).toEqual(oldestFirst.map(({ path }) => path));
  });

  it('what a call has no time for is left to the next one, and it is the newest', async () => {
    const left = [];
    for (let minute = 30; minute > 0; minute -= 1) {
      await stack.user(`user-${minute}`, 5);
      left.push(await leaveHold(`user-${minute}`, 'k', { deadline: fromNow(-minute * minuteMs) }));
    }
    let [elapsed, refunds] = [0, 0];
    const database: Database = {
      ...stack.database,
      async commit(writes) {
        const version = await stack.database.commit(writes);
        refunds += 1;
        if (refunds === 10) elapsed += 241_000;
        return version;
      },
    };
    const clock = { ...systemClock, elapsed: () => elapsed };
    const { url } = await startServer({}, { database, clock });
    const first = await sweep(url);
    expect(first.refunded).toBeGreaterThanOrEqual(10);
    expect(first.refunded).toBeLessThan(20);
    const states = await Promise.all(left.map(({ path }) => statusOf(path)));
    expect(states.filter((state) => state === 'refunded')).toHaveLength(first.refunded);
    expect(states.lastIndexOf('refunded')).toBe(first.refunded - 1);
    expect(await sweep()).toMatchObject({ refunded: 30 - first.refunded });
  });

  it('on an account with an invalid balance: its entry is written, the balance left to the admin', async () => {
    const user = await stack.user('ann', 20);
    await leaveHold('ann', 'k', { tier: 'premium4' });
    await stack.edit('accounts/ann', { balance: 'a lot' });
    expect(await sweep()).toMatchObject({ refunded: 1 });
    const { account, entries } = await stack.ledger('ann');
    expect(account).toMatchObject({ balance: 'a lot', settled: 20, sequence: 3 });
    expect(entries.at(-1)).toMatchObject({ type: 'refund', amount: 4, balance: 20 });
    await stack.edit('accounts/ann', { balance: 20 });
    expect((await user.get('account')).body.account).toMatchObject({ balance: 20, sequence: 3 });
  });

  it('of an account deleted in the console comes back with its credits', async () => {
    const user = await stack.user('ann', 20);
    await leaveHold('ann', 'k', { tier: 'premium4' });
    await stack.erase('accounts/ann');
    expect(await sweep()).toMatchObject({ refunded: 1 });
    expect((await user.get('account')).body.account.balance).toBe(4);
    expect(await brokenInvariants(stack, 'ann')).toEqual([]);
  });

  it('takes a console edit into the books with its refund', async () => {
    await stack.user('ann', 20);
    await leaveHold('ann', 'k');
    await stack.edit('accounts/ann', { balance: 50, note: 'a gift' });
    expect(await sweep()).toMatchObject({ refunded: 1 });
    const { account, entries } = await stack.ledger('ann');
    expect(account).toMatchObject({ balance: 51, settled: 51, sequence: 4 });
    expect(entries.at(-2)).toMatchObject({ type: 'adjustment', amount: 31, reason: 'a gift' });
    expect(await brokenInvariants(stack, 'ann')).toEqual([]);
  });
});

describe('an image that nobody owns any more', () => {
  it('is deleted in the very call that refunds its generation, from the CDN too', async () => {
    await stack.user('ann', 20);
    const { publicId, outbox } = await leaveHold('ann', 'k', { uploaded: true });
    expect(isStored(publicId)).toBe(true);
    expect(await sweep()).toEqual({ refunded: 1, deletedAssets: 1 });
    expect(isStored(publicId)).toBe(false);
    expect(destroys(publicId)).toMatchObject([{ invalidate: true }]);
    expect(await stack.document(outbox)).toMatchObject({ uid: 'ann', publicId });
  });

  it('is looked for again until an hour after the deadline, and only then forgotten', async () => {
    await stack.user('ann', 20);
    const deadline = overdue();
    const { publicId, outbox } = await leaveHold('ann', 'k', { uploaded: true, deadline });
    await sweep();
    const item = await outboxItem(outbox);
    expect(item.until).toEqual(new Date(deadline.getTime() + hourMs));
    expect(item.dueAt.getTime()).toBeGreaterThan(Date.now());
    expect(item.dueAt.getTime()).toBeLessThanOrEqual(item.until.getTime());
    expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 0 });
    expect(destroys(publicId)).toHaveLength(1);

    for (const times of [2, 3]) {
      await stack.edit(outbox, { dueAt: overdue() });
      expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 0 });
      expect(destroys(publicId)).toHaveLength(times);
      expect(await stack.document(outbox)).toBeDefined();
    }
    // The last look is never before the hour is over.
    await stack.edit(outbox, { dueAt: overdue(), until: fromNow(2_000) });
    await sweep();
    const last = await outboxItem(outbox);
    expect(last.dueAt).toEqual(last.until);

    await stack.edit(outbox, { dueAt: overdue(), until: overdue() });
    await sweep();
    expect(destroys(publicId)).toHaveLength(5);
    expect(await stack.document(outbox)).toBeUndefined();
  });

  it('a late upload, after the first delete, is deleted by a later sweep', async () => {
    await stack.user('ann', 20);
    const { publicId, outbox } = await leaveHold('ann', 'k');
    expect(await sweep()).toEqual({ refunded: 1, deletedAssets: 0 });
    await upload(publicId);
    expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 0 });
    await stack.edit(outbox, { dueAt: overdue(), until: overdue() });
    expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 1 });
    expect(isStored(publicId)).toBe(false);
    expect(await stack.document(outbox)).toBeUndefined();
  });

  it('a slow worker that was swept gets no image, and its upload goes too', async () => {
    const user = await stack.user('ann', 20);
    const id = hashGenerationId('ann', 'slow');
    const late = await gate.during(
      () => user.generate('slow', { tier: 'premium2' }),
      async () => {
        await stack.edit(generationPath('ann', id), { deadline: overdue() });
        expect(await sweep()).toEqual({ refunded: 1, deletedAssets: 0 });
      },
    );
    expect(refusalOf(late)).toEqual([410, 'EXPIRED']);
    expect(late.body.receipt).toMatchObject({ charged: 2, refunded: 2, balance: 20 });
    const { publicId } = (await stack.ledger('ann')).generations[0] ?? { publicId: '' };
    expect(isStored(publicId)).toBe(true);
    await stack.edit(`outbox/${id}`, { dueAt: overdue() });
    expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 1 });
    expect(isStored(publicId)).toBe(false);
    expect(await brokenInvariants(stack, 'ann')).toEqual([]);
  });

  it('a worker that died between upload and settling leaves no image and no debit', async () => {
    const user = await stack.user('ann', 20);
    let commits = 0;
    const dying: Database = {
      ...stack.database,
      async commit(writes) {
        commits += 1;
        if (commits > 1) throw Object.assign(new Error('The process is gone'), { code: 7 });
        return stack.database.commit(writes);
      },
    };
    const { url } = await startServer({}, { database: dying });
    const unsettled = await user.generate('k', {}, url);
    expect(unsettled.status).toBe(500);
    expect(unsettled.body.error.details[0].metadata.retry).toBe('same_key');
    const [generation] = (await stack.ledger('ann')).generations;
    if (!generation) throw new Error('There is no generation');
    expect([generation.status, isStored(generation.publicId)]).toEqual(['pending', true]);

    await stack.edit(generationPath('ann', generation.id), { deadline: overdue() });
    expect(await sweep()).toEqual({ refunded: 1, deletedAssets: 1 });
    expect(isStored(generation.publicId)).toBe(false);
    expect((await stack.ledger('ann')).account).toMatchObject({ balance: 20 });
    expect(refusalOf(await user.generate('k'))).toEqual([410, 'EXPIRED']);
  });

  it.each([
    ['an error of the store', cloudinaryFault.error(500), true],
    ['a limit of the store', cloudinaryFault.rateLimited(), true],
    ['a broken connection', cloudinaryFault.reset(), true],
    ['a deletion whose answer was lost', { ...cloudinaryFault.reset(), afterWork: true }, false],
  ])('%s leaves the item, and it is tried again', async (_, fault, stays) => {
    await stack.user('ann', 20);
    const failing = await leaveHold('ann', 'failing', { uploaded: true, deadline: fromNow(-2_000) });
    stack.cloudinary.script({ ...fault, action: 'destroy' });
    expect(await sweep()).toEqual({ refunded: 1, deletedAssets: 0 });
    expect(isStored(failing.publicId)).toBe(stays);
    const { dueAt } = await outboxItem(failing.outbox);
    expect(dueAt.getTime()).toBeLessThanOrEqual(Date.now() + minuteMs);

    await stack.edit(failing.outbox, { dueAt: overdue() });
    expect(await sweep()).toEqual({ refunded: 0, deletedAssets: stays ? 1 : 0 });
    expect(isStored(failing.publicId)).toBe(false);
    expect(destroys(failing.publicId)).toHaveLength(2);
  });

  it('one that cannot be deleted does not keep the others', async () => {
    await stack.user('ann', 20);
    const left = [];
    for (const key of ['a', 'b', 'c']) left.push(await leaveHold('ann', key, { uploaded: true }));
    stack.cloudinary.script({ ...cloudinaryFault.error(503), action: 'destroy' });
    expect(await sweep()).toEqual({ refunded: 3, deletedAssets: 2 });
    expect(left.filter(({ publicId }) => isStored(publicId))).toHaveLength(1);
    for (const { outbox } of left) await stack.edit(outbox, { dueAt: overdue() });
    expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 1 });
  });

  it('of a deleted generation is deleted by the sweep where its own call could not', async () => {
    const user = await stack.user('ann', 20);
    const { id } = (await user.generate('k')).body.generation;
    const { publicId } = (await stack.ledger('ann')).generations[0] ?? { publicId: '' };
    stack.cloudinary.script({ ...cloudinaryFault.error(500), action: 'destroy' });
    expect((await user.post('deleteGeneration', { id })).status).toBe(200);
    expect(isStored(publicId)).toBe(true);
    await stack.edit(`outbox/${id}`, { dueAt: overdue() });
    expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 1 });
    expect(isStored(publicId)).toBe(false);
    expect(await stack.document(`outbox/${id}`)).toBeUndefined();
  });
});

describe('several sweeps at once', () => {
  it('refund once and delete once: what they say adds up', async () => {
    const uids = Array.from({ length: 5 }, (_, i) => `user-${i}`);
    const left = [];
    for (const uid of uids) {
      await stack.user(uid, 20);
      for (const key of ['a', 'b', 'c', 'd']) left.push(await leaveHold(uid, key, { uploaded: true }));
    }
    const other = await startServer();
    const urls = [stack.url, other.url, stack.url, other.url];
    const answers = await Promise.all(urls.map((url) => sweep(url)));
    const sum = (field: 'refunded' | 'deletedAssets') =>
      answers.reduce((total, answer) => total + answer[field], 0);
    expect(sum('refunded')).toBe(20);
    expect(sum('deletedAssets')).toBe(20);

    for (const uid of uids) {
      const { account, entries } = await stack.ledger(uid);
      expect(account).toMatchObject({ balance: 20, settled: 20 });
      expect(entries.filter(({ type }) => type === 'refund')).toHaveLength(4);
      expect(await brokenInvariants(stack, uid)).toEqual([]);
    }
    expect(left.filter(({ publicId }) => isStored(publicId))).toEqual([]);
    expect(stack.logs.filter(({ severity }) => severity === 'ERROR')).toEqual([]);
  });
});

describe('a broken document', () => {
  it.each<[string, Record<string, unknown>]>([
    ['nothing but its state', { owner: undefined, credits: undefined, tier: undefined, request: undefined }],
    ['a price of text', { credits: 'one' }],
    ['no owner', { owner: null }],
    ['a tier that there is not', { tier: 'golden' }],
    ['a state that there is not', { status: 'exploded' }],
    ['a state that is a number', { status: 7 }],
  ])('%s: the others are refunded all the same', async (_, fields) => {
    await stack.user('ann', 20);
    const broken = await leaveHold('ann', 'broken', { deadline: fromNow(-hourMs) });
    await stack.edit(broken.path, fields);
    const sound = await leaveHold('ann', 'sound');
    expect(await sweep()).toEqual({ refunded: 1, deletedAssets: 0 });
    expect(await statusOf(sound.path)).toBe('refunded');
    if (!('status' in fields)) {
      expect(stack.logs).toContainEqual(expect.objectContaining({ severity: 'ERROR', path: broken.path }));
    }
  });

  it('more of them than a page, all as old, are passed over', async () => {
    const deadline = overdue();
    await stack.user('zoe', 20);
    const sound = await leaveHold('zoe', 'sound', { deadline });
    await stack.database.commit(
      Array.from({ length: 105 }, (_, i) => ({
        create: `accounts/ann/generations/broken-${i}`,
        data: { status: 'pending', deadline },
      })),
    );
    expect(await sweep()).toEqual({ refunded: 1, deletedAssets: 0 });
    expect(await statusOf(sound.path)).toBe('refunded');
  });

  it('in the outbox does not keep the other images', async () => {
    await stack.user('ann', 20);
    await stack.edit('outbox/broken', { dueAt: fromNow(-hourMs), publicId: 7 });
    const { publicId } = await leaveHold('ann', 'k', { uploaded: true });
    expect(await sweep()).toEqual({ refunded: 1, deletedAssets: 1 });
    expect(isStored(publicId)).toBe(false);
    expect(stack.logs).toContainEqual(expect.objectContaining({ severity: 'ERROR', path: 'outbox/broken' }));
  });
});

it('reads no more documents for all that exists besides what is overdue', async () => {
  const counting = countingDatabase(stack.database);
  const { url } = await startServer({}, { database: counting.database });
  const cost = async () => {
    for (const key of ['a', 'b', 'c']) await leaveHold('ann', `${key}-${counting.trips.length}`);
    counting.reset();
    expect(await sweep(url)).toMatchObject({ refunded: 3 });
    return { documents: counting.documentsRead(), trips: counting.trips.length };
  };
  await stack.user('ann', 100);
  const before = await cost();
  const user = await stack.user('bob', 100);
  const { id } = (await user.generate('k')).body.generation;
  const [finished] = (await stack.database.read([generationPath('bob', id)])).documents;
  const data = { ...finished?.data, deadline: overdue() };
  for (let page = 0; page < 3; page += 1) {
    const paths = Array.from({ length: 100 }, (_, i) => generationPath('bob', `finished-${page}-${i}`));
    await stack.database.commit(paths.map((create) => ({ create, data })));
  }
  const after = await cost();
  // The three outbox items of the first sweep are not due again; they are not read either.
  expect(after).toEqual(before);
  expect(after.documents).toBeLessThan(20);
});

describe('who may call', () => {
  it('the scheduler, by the token that Google signs for it', async () => {
    await stack.user('ann', 20);
    await leaveHold('ann', 'k');
    const { status, body } = await runJob(stack, 'sweepHolds', { token: await schedulerToken(stack) });
    expect([status, body]).toEqual([200, { refunded: 1, deletedAssets: 0 }]);
  });

  it('nobody else', async () => {
    await stack.user('ann', 20);
    const { path } = await leaveHold('ann', 'k');
    for (const [who, token, expected] of await refusedCallers(stack)) {
      const answer = await runJob(stack, 'sweepHolds', { token });
      const reason = expected === 401 ? 'UNAUTHENTICATED' : 'FORBIDDEN';
      expect([who, ...refusalOf(answer)]).toEqual([who, expected, reason]);
    }
    const get = await stack.fetch('sweepHolds', { headers: { authorization: 'Bearer owner' } });
    expect(refusalOf(get)).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(await statusOf(path)).toBe('pending');
  });
});
