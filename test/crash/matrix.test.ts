/**
 * The crash matrix: every fault at every await point of generate, sweep, grant, delete, share and take-down, with and
 * without a concurrent sweep that finds every hold overdue. After two more sweeps everything must add up.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { parseConfig } from '../../shared/config/config.ts';
import { createLog } from '../../shared/core/log.ts';
import { createServices } from '../../shared/services.ts';
import { brokenInvariants, strayImages } from '../support/invariants.ts';
import { getErrorInfo, type Reply } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { createFaultyParts, type Fault, faults, shiftClock } from './faults.ts';

const minutes = 60_000;
const owner = { authorization: 'Bearer owner' };

let stack: Stack;
let faulty: ReturnType<typeof createFaultyParts>;
/** The server that gets the faults. */
let victim: string;
/** A server with a clock at which every hold is overdue. */
let sweeper: string;
/** A server that caches images. */
let cacher: string;
/** A server with a clock at which no upload can arrive any more. */
let lastSweeper: string;
let cases = 0;

beforeAll(async () => {
  const fallback = { IMAGEGEN_FALLBACK_MODEL_IDS: 'gemini-nano-banana-2.1' };
  stack = await startStack({ GENERATE_TIMEOUT_MS: '20000', ...fallback });
  stack.gemini.always(geminiFault.blank());
  const config = parseConfig(stack.environment);
  const { database } = stack;
  const real = createServices(
    config,
    createLog(() => {}),
    new AbortController().signal,
    { database },
  );
  faulty = createFaultyParts({
    database,
    imageGenerator: await real.imageGenerator(),
    imageStore: await real.imageStore(),
  });
  const started = await Promise.all([
    stack.startServer({}, faulty.overrides),
    stack.startServer({}, { database: shiftClock(database, 10 * minutes) }),
    stack.startServer({}, { database: shiftClock(database, 180 * minutes) }),
    stack.startServer({ CACHE_TTL_SECONDS: '3600' }),
  ]);
  [victim = '', sweeper = '', lastSweeper = '', cacher = ''] = started.map(({ url }) => url);
});
afterAll(async () => {
  process.stdout.write(`\nCrash matrix: ${cases} cases\n`);
  // The handlers of killed calls never end, so this takes as long as a shutdown may.
  await stack.close();
});

const sweep = (url: string) => stack.fetch('sweepHolds', { method: 'POST', headers: owner }, url);

/** A user and a request, to be sent to the faulty server and again to a sound one. */
type Scenario = {
  uid: string;
  ask(url: string): Promise<Reply>;
  /** What else happens during the faulty call. */
  meanwhile?(): Promise<unknown>;
  /** The price and the image of a generation that an admin deleted. Its image must be gone at the end. */
  erased?: { credits: number; publicId: string };
};
type Victim = { name: string; points: string[]; prepare(uid: string): Promise<Scenario> };

const grantBody = (uid: string) => JSON.stringify({ uid, amount: 5, reason: 'test' });

const victims: Victim[] = [
  {
    name: 'generate',
    points: ['read', 'commit', 'generate image', 'store', 'commit'],
    async prepare(uid) {
      const user = await stack.user(uid, 20);
      await user.get('account');
      return { uid, ask: (url) => user.generate('k', {}, url) };
    },
  },
  {
    name: 'generate that cannot be stored',
    points: ['read', 'commit', 'generate image', 'store', 'store', 'read', 'commit'],
    async prepare(uid) {
      const user = await stack.user(uid, 20);
      await user.get('account');
      stack.cloudinary.always({ kind: 'reset', when: 'before-headers', afterWork: true, action: 'upload' });
      return { uid, ask: (url) => user.generate('k', {}, url) };
    },
  },
  {
    name: 'an edit at 4K in a group',
    points: ['read', 'commit', 'fetch', 'generate image', 'store', 'commit'],
    async prepare(uid) {
      const user = await stack.user(uid, 20);
      const { id } = (await user.generate('parent')).body.generation;
      const edit = { editOf: id, resolution: '4K', group: 'one', originalPrompt: 'darker' };
      return { uid, ask: (url) => user.generate('k', edit, url) };
    },
  },
  {
    name: 'sweep',
    // The last three look for erasures to log and for closings to go on with, and record that the job has finished.
    points: [
      ...['read', 'query', 'read', 'commit', 'read', 'query', 'query', 'destroy', 'commit'],
      ...['query', 'query', 'commit'],
    ],
    async prepare(uid) {
      const user = await stack.user(uid, 20);
      await user.get('account');
      // A worker that stored its image and died before settling.
      faulty.begin({ at: 4, fault: 'killed before', meanwhile: async () => {} });
      void user.generate('k', {}, victim).catch(() => {});
      await expect.poll(() => faulty.calls.length, { timeout: 10_000 }).toBe(5);
      const [pending] = (await stack.ledger(uid)).generations;
      await stack.edit(`accounts/${uid}/generations/${pending?.id}`, { deadline: new Date(0) });
      return { uid, ask: (url) => sweep(url) };
    },
  },
  {
    name: 'grant',
    points: ['read', 'commit'],
    async prepare(uid) {
      await (await stack.user(uid, 20)).get('account');
      const headers = { ...owner, 'content-type': 'application/json', 'idempotency-key': uid };
      return {
        uid,
        ask: (url) => stack.fetch('grant', { method: 'POST', headers, body: grantBody(uid) }, url),
      };
    },
  },
  {
    name: 'deleteGeneration',
    points: ['read', 'query', 'commit', 'destroy', 'commit'],
    async prepare(uid) {
      const user = await stack.user(uid, 20);
      const { id } = (await user.generate('k')).body.generation;
      return { uid, ask: (url) => user.post('deleteGeneration', { id }, {}, url) };
    },
  },
  {
    name: 'share',
    points: ['read', 'commit', 'fetch', 'store', 'read', 'commit'],
    async prepare(uid) {
      const user = await stack.user(uid, 20);
      const { id } = (await user.generate('k')).body.generation;
      return { uid, ask: (url) => user.post('share', { id, shared: true }, {}, url) };
    },
  },
  {
    name: 'share that cannot be stored',
    points: ['read', 'commit', 'fetch', 'store', 'read', 'commit', 'destroy', 'commit'],
    async prepare(uid) {
      const user = await stack.user(uid, 20);
      const { id } = (await user.generate('k')).body.generation;
      stack.cloudinary.always({ kind: 'reset', when: 'before-headers', afterWork: true, action: 'upload' });
      return { uid, ask: (url) => user.post('share', { id, shared: true }, {}, url) };
    },
  },
  {
    name: 'share that ends',
    points: ['read', 'query', 'commit', 'destroy', 'commit'],
    async prepare(uid) {
      const user = await stack.user(uid, 20);
      const { id } = (await user.generate('k')).body.generation;
      await user.post('share', { id, shared: true });
      return { uid, ask: (url) => user.post('share', { id, shared: false }, {}, url) };
    },
  },
  {
    name: 'takedown',
    // It looks for everything that shows the image, for its hash and again to remove it; the last one looks for open reports.
    points: [
      ...['read', 'read', 'query', 'query'],
      ...['read', 'read', 'query', 'query', 'commit'],
      ...['destroy', 'commit', 'destroy', 'commit', 'query'],
    ],
    async prepare(uid) {
      const user = await stack.user(uid, 20);
      const { id } = (await user.generate('k')).body.generation;
      await user.post('share', { id, shared: true });
      const body = JSON.stringify({ uid, generationId: id, reason: 'test' });
      const headers = { ...owner, 'content-type': 'application/json' };
      return { uid, ask: (url) => stack.fetch('takedown', { method: 'POST', headers, body }, url) };
    },
  },
  {
    name: 'deleteGeneration of a twin',
    points: ['read', 'query', 'read', 'query', 'commit'],
    async prepare(uid) {
      const user = await stack.user(uid, 20);
      const ids: string[] = [];
      for (const key of ['source', 'twin', 'other twin']) {
        ids.push((await user.generate(key, {}, cacher)).body.generation.id);
      }
      const [source, id, other] = ids;
      const path = `accounts/${uid}/generations/${source}`;
      const { publicId } = (await stack.document(path)) as { publicId: string };
      await stack.erase(path);
      return {
        uid,
        erased: { credits: 1, publicId },
        ask: (url) => user.post('deleteGeneration', { id }, {}, url),
        meanwhile: () => user.post('deleteGeneration', { id: other }),
      };
    },
  },
];

const isKill = (fault: Fault) => fault.startsWith('killed');
const table = victims.flatMap((each) =>
  each.points.flatMap((point, at) =>
    faults.flatMap((fault) => [false, true].map((withSweep) => ({ each, point, at, fault, withSweep }))),
  ),
);

describe.each(victims)('$name', (each) => {
  it('has the await points that the matrix lists', async () => {
    const { ask } = await each.prepare(`points-${each.name.replaceAll(' ', '-')}`);
    faulty.begin();
    await ask(victim);
    stack.cloudinary.always(undefined);
    expect(faulty.calls).toEqual(each.points);
  });

  it.each(
    table
      .filter((row) => row.each === each)
      .map((row) => ({ ...row, sweeps: row.withSweep ? 'with a concurrent sweep' : 'alone' })),
  )('$fault at $at ($point), $sweeps', async ({ point, at, fault, withSweep }) => {
    cases += 1;
    const scenario = await each.prepare(`case-${cases}`);
    let others: Promise<unknown> = Promise.resolve();
    faulty.begin({
      at,
      fault,
      async meanwhile() {
        others = Promise.all([
          withSweep || fault === 'hang past the deadline' ? sweep(sweeper) : undefined,
          fault === 'duplicate request' ? scenario.ask(stack.url) : undefined,
          scenario.meanwhile?.(),
        ]);
        await others;
      },
    });
    const answer = scenario.ask(victim);
    if (isKill(fault)) answer.catch(() => {});
    const reply = await (isKill(fault) ? expect.poll(() => faulty.calls.length).toBeGreaterThan(at) : answer);
    await others;
    await faulty.land();
    stack.cloudinary.always(undefined);

    await sweep(sweeper);
    await sweep(lastSweeper);
    expect(await findBroken(scenario), point).toEqual([]);
    expect(await strayImages(stack, [scenario.uid])).toEqual([]);
    const { account, generations, entries } = await stack.ledger(scenario.uid);
    expect(generations.filter(({ status }) => status === 'pending')).toEqual([]);
    expect(await findOutboxItems(scenario.uid)).toEqual([]);
    await checkShares(scenario.uid);
    const charged = generations.map(({ status, receipt }) => (status === 'refunded' ? 0 : receipt.charged));
    const paid = charged.reduce((sum, credits) => sum + credits, scenario.erased?.credits ?? 0);
    const granted = entries.filter(({ type }) => type === 'grant').length;
    expect(account.balance).toBe(20 - paid + 5 * granted);
    if (each.name.startsWith('generate') && !isKill(fault)) checkReply(reply as Reply, generations);

    // The same request again, as a client sends it after a lost connection: same outcome, nothing moves twice.
    const again = await scenario.ask(stack.url);
    expect(again.status).not.toBe(409);
    expect(await findBroken(scenario)).toEqual([]);
    expect(stack.cloudinary.assets.has(scenario.erased?.publicId ?? '')).toBe(false);
    if (each.name === 'grant') {
      expect(again.status).toBe(200);
      expect((await stack.ledger(scenario.uid)).account.balance).toBe(25);
    }
    if (each.name.startsWith('share') || each.name === 'takedown') {
      expect(again.status).toBe(200);
      const shared = again.body.generation.shareUrl !== undefined;
      expect(shared).toBe(!(each.name === 'share that ends' || each.name === 'takedown'));
      if (each.name === 'takedown') {
        expect((await stack.ledger(scenario.uid)).generations).toMatchObject([{ removedBy: 'studio' }]);
      }
      await checkShares(scenario.uid);
    }
  });
});

/** Every share is that of its generation, and its copy is stored. */
async function checkShares(uid: string): Promise<void> {
  const { documents } = await stack.database.page({
    collection: 'shares',
    where: [['uid', '==', uid]],
    orderBy: [['__name__', 'asc']],
    limit: 1000,
  });
  const { generations } = await stack.ledger(uid);
  const tokens = generations.flatMap((one) => (one as { shareToken?: string | null }).shareToken ?? []);
  expect(documents.map(({ id }) => id)).toEqual(tokens);
  for (const { id, data } of documents) {
    expect([data.image !== null, stack.cloudinary.assets.has(`shares/${id}`)]).toEqual([true, true]);
  }
}

/** The ledger cannot add up with a generation that an admin deleted. */
async function findBroken({ uid, erased }: Scenario): Promise<string[]> {
  const broken = await brokenInvariants(stack, uid);
  return erased ? broken.filter((message) => !message.startsWith('images cost')) : broken;
}

/** A final reply must stay true. */
function checkReply(reply: Reply, generations: { status: string }[]): void {
  const retry = getErrorInfo(reply)?.metadata.retry;
  if (reply.status === 200) expect(generations).toMatchObject([{ status: 'succeeded' }]);
  if (retry === 'new_key') {
    expect(generations).toMatchObject([{ status: 'refunded' }]);
    expect(reply.body.receipt.refunded).toBe(reply.body.receipt.charged);
  }
}

async function findOutboxItems(uid: string): Promise<unknown[]> {
  const outbox = await stack.database.page({
    collection: 'outbox',
    orderBy: [['dueAt', 'asc']],
    limit: 1000,
  });
  return outbox.documents.filter(({ data }) => data.uid === uid);
}
