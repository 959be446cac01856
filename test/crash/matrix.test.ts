/**
 * The crash matrix: every await point of generate, sweep, grant and delete, each fault at each, with and
 * without a sweep beside it that finds every hold overdue. Two sweeps later everything must add up.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { parseConfig } from '../../shared/config/config.ts';
import { createLog } from '../../shared/core/log.ts';
import { createServices } from '../../shared/services.ts';
import { brokenInvariants, strayImages } from '../support/invariants.ts';
import { type Reply, type Stack, startStack } from '../support/stack.ts';
import { ahead, createFaultyParts, type Fault, faults } from './faults.ts';

const minutes = 60_000;
const owner = { authorization: 'Bearer owner' };

let stack: Stack;
let faulty: ReturnType<typeof createFaultyParts>;
/** The server that faults happen to; one whose clock finds every hold overdue; one after every late upload. */
let victim: string;
let sweeper: string;
let lastSweeper: string;
let servers: { close(): Promise<void> }[] = [];
let cases = 0;

beforeAll(async () => {
  stack = await startStack({ GENERATE_TIMEOUT_MS: '20000' });
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
    stack.startServer({}, { database: ahead(database, 10 * minutes) }),
    stack.startServer({}, { database: ahead(database, 180 * minutes) }),
  ]);
  servers = started;
  [victim, sweeper, lastSweeper] = started.map(({ url }) => url) as [string, string, string];
});
afterAll(async () => {
  process.stdout.write(`\nCrash matrix: ${cases} cases\n`);
  // The handlers of killed calls never end: this takes as long as a shutdown may.
  await Promise.all(servers.map((server) => server.close()));
  await stack.close();
});

const sweep = (url: string) => stack.fetch('sweepHolds', { method: 'POST', headers: owner }, url);

/** A user, a request to the server that faults happen to, and the same request once more to a sound one. */
type Scene = { uid: string; ask(url: string): Promise<Reply> };
type Victim = { name: string; points: string[]; prepare(uid: string): Promise<Scene> };

const grantBody = (uid: string) => JSON.stringify({ uid, amount: 5, reason: 'test' });

const victims: Victim[] = [
  {
    name: 'generate',
    points: ['read', 'commit', 'paint', 'store', 'commit'],
    async prepare(uid) {
      const user = await stack.user(uid, 20);
      await user.get('account');
      return { uid, ask: (url) => user.generate('k', {}, url) };
    },
  },
  {
    name: 'generate that cannot be stored',
    points: ['read', 'commit', 'paint', 'store', 'read', 'commit'],
    async prepare(uid) {
      const user = await stack.user(uid, 20);
      await user.get('account');
      stack.cloudinary.always({ kind: 'reset', when: 'before-headers', afterWork: true, action: 'upload' });
      return { uid, ask: (url) => user.generate('k', {}, url) };
    },
  },
  {
    name: 'sweep',
    points: ['read', 'query', 'read', 'commit', 'read', 'query', 'destroy', 'commit'],
    async prepare(uid) {
      const user = await stack.user(uid, 20);
      await user.get('account');
      // A worker that stored its image and died before it could settle.
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
    points: ['read', 'commit', 'destroy', 'commit'],
    async prepare(uid) {
      const user = await stack.user(uid, 20);
      const { id } = (await user.generate('k')).body.generation;
      return { uid, ask: (url) => user.post('deleteGeneration', { id }, {}, url) };
    },
  },
];

const killed = (fault: Fault) => fault.startsWith('killed');
const table = victims.flatMap((each) =>
  each.points.flatMap((point, at) =>
    faults.flatMap((fault) => [false, true].map((beside) => ({ each, point, at, fault, beside }))),
  ),
);

describe.each(victims)('$name', (each) => {
  it('has the await points that the matrix goes through', async () => {
    const { ask } = await each.prepare(`points-${each.name.replaceAll(' ', '-')}`);
    faulty.begin();
    await ask(victim);
    stack.cloudinary.always(undefined);
    expect(faulty.calls).toEqual(each.points);
  });

  it.each(
    table
      .filter((row) => row.each === each)
      .map((row) => ({ ...row, sweeps: row.beside ? 'with a sweep beside it' : 'alone' })),
  )('$fault at $at ($point), $sweeps', async ({ point, at, fault, beside }) => {
    cases += 1;
    const scene = await each.prepare(`case-${cases}`);
    let others: Promise<unknown> = Promise.resolve();
    faulty.begin({
      at,
      fault,
      async meanwhile() {
        others = Promise.all([
          beside || fault === 'hang past the deadline' ? sweep(sweeper) : undefined,
          fault === 'duplicate request' ? scene.ask(stack.url) : undefined,
        ]);
        await others;
      },
    });
    const answer = scene.ask(victim);
    if (killed(fault)) answer.catch(() => {});
    const reply = await (killed(fault) ? expect.poll(() => faulty.calls.length).toBeGreaterThan(at) : answer);
    await others;
    stack.cloudinary.always(undefined);

    await sweep(sweeper);
    await sweep(lastSweeper);
    expect(await brokenInvariants(stack, scene.uid), point).toEqual([]);
    expect(await strayImages(stack, [scene.uid])).toEqual([]);
    const { account, generations, entries } = await stack.ledger(scene.uid);
    expect(generations.filter(({ status }) => status === 'pending')).toEqual([]);
    expect(await waitingImages(scene.uid)).toEqual([]);
    const paid = generations.filter(({ status }) => status !== 'refunded').length;
    const granted = entries.filter(({ type }) => type === 'grant').length;
    expect(account.balance).toBe(20 - paid + 5 * granted);
    if (each.name.startsWith('generate') && !killed(fault)) agree(reply as Reply, generations);

    // Asked once more, as a client whose connection broke would: the same outcome, and nothing moves twice.
    const again = await scene.ask(stack.url);
    expect(again.status).not.toBe(409);
    expect(await brokenInvariants(stack, scene.uid)).toEqual([]);
    if (each.name === 'grant') {
      expect(again.status).toBe(200);
      expect((await stack.ledger(scene.uid)).account.balance).toBe(25);
    }
  });
});

/** An answer that settles the matter must stay true. */
function agree(reply: Reply, generations: { status: string }[]): void {
  const retry = reply.body.error?.details[0].metadata.retry;
  if (reply.status === 200) expect(generations).toMatchObject([{ status: 'succeeded' }]);
  if (retry === 'new_key') {
    expect(generations).toMatchObject([{ status: 'refunded' }]);
    expect(reply.body.receipt.refunded).toBe(reply.body.receipt.charged);
  }
}

async function waitingImages(uid: string): Promise<unknown[]> {
  const outbox = await stack.database.page({
    collection: 'outbox',
    orderBy: [['dueAt', 'asc']],
    limit: 1000,
  });
  return outbox.documents.filter(({ data }) => data.uid === uid);
}
