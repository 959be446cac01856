/** A closing is finished whatever happens at any of its calls, and whoever else works on it. */
import { describe, expect, it } from 'vitest';
import type { Database } from '../../../shared/database/database.ts';
import { createFaultyParts, type Fault, faults } from '../../crash/faults.ts';
import { canary, createClosingWorld, fillPerson, findCanary } from '../../support/closing.ts';

/** A person with something in every place, and a closing on an instance with faults. */
async function prepare() {
  const closing = createClosingWorld();
  const healthy = closing.start();
  await fillPerson(healthy);
  let overrides: Partial<Database> = {};
  let faulty: ReturnType<typeof createFaultyParts> | undefined;
  const victim = closing.start({
    faults(database) {
      faulty = createFaultyParts({
        database,
        imageGenerator: undefined as never,
        imageStore: undefined as never,
      });
      overrides = faulty.overrides.database;
      return {
        read: (paths) => (overrides as Database).read(paths),
        commit: (writes) => (overrides as Database).commit(writes),
        page: (request) => (overrides as Database).page(request),
      };
    },
  });
  if (!faulty) throw new Error('The database was not replaced');
  return { ...closing, healthy, victim, faulty };
}

const books = ({ healthy }: Awaited<ReturnType<typeof prepare>>) =>
  healthy.documents('accounts/ann/entries').map(({ sequence, amount, balance, type, createdAt }) => ({
    sequence,
    amount,
    balance,
    type,
    createdAt,
  }));

/** The calls of a closing without a fault. */
async function listCalls(): Promise<string[]> {
  const { victim, faulty } = await prepare();
  faulty.begin();
  await victim.close();
  return [...faulty.calls];
}

const calls = await listCalls();
const isKill = (fault: Fault) => fault.startsWith('killed');
const rows = faults
  .filter((fault) => fault !== 'hang past the deadline')
  .flatMap((fault) => calls.map((point, at) => ({ fault, point, at })));

it('has calls at every step', () => {
  expect(calls.length).toBeGreaterThan(30);
});

describe.each([false, true])('with a sweep at the same time: %s', (withSweep) => {
  it.each(rows)('$fault at $at ($point)', async ({ fault, at }) => {
    const closing = await prepare();
    const { victim, healthy, faulty, documents, images, users, log } = closing;
    const before = books(closing);
    let reached = () => {};
    const isReached = new Promise<void>((resolve) => {
      reached = resolve;
    });
    let others: Promise<unknown> = Promise.resolve();
    faulty.begin({
      at,
      fault,
      async meanwhile() {
        others = Promise.all([
          fault === 'duplicate request' ? healthy.close() : undefined,
          withSweep ? healthy.sweep() : undefined,
        ]);
        await others;
        reached();
      },
    });
    const answer = victim.close();
    if (isKill(fault)) await isReached;
    else expect([200, 500, 503]).toContain((await answer).status);
    await others;
    await faulty.land();

    // The user asks again. What is begun needs no further call.
    if (!documents.has('closures/ann')) await healthy.close();
    await healthy.sweep();
    await healthy.sweep();
    expect(documents.get('closures/ann')).toMatchObject({ status: 'closed' });
    expect([findCanary(documents), [...images], users.deleted]).toEqual([[], [], ['ann']]);
    expect(books(closing)).toEqual(before);
    expect(JSON.stringify(healthy.lines)).not.toContain(canary);
    // The take-down from before is logged too.
    const logged = log.list().filter((erasure) => erasure?.kind !== 'takedown');
    expect(logged).toMatchObject(logged.map(() => ({ kind: 'closing', uid: 'ann' })));
    expect(logged.length).toBeGreaterThan(0);
  });
});

it.each([2, 5])('%i instances at once close it once', async (count) => {
  const { start, healthy, documents, users, images } = await prepare();
  const replies = await Promise.all(Array.from({ length: count }, () => start().close()));
  expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
  await healthy.sweep();
  await healthy.sweep();
  expect([findCanary(documents), [...images], users.deleted]).toEqual([[], [], ['ann']]);
  expect(documents.get('closures/ann')).toMatchObject({ status: 'closed' });
});
