/** `reconcile` records open console edits, and reports accounts that do not add up without changing them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import type { Audit } from '../../shared/contract.ts';
import { systemClock } from '../../shared/core/clock.ts';
import type { Database } from '../../shared/database/database.ts';
import { countingDatabase } from '../support/countingDatabase.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { getRefusal } from '../support/replies.ts';
import { createRefusedCallers, runJob, schedulerEnv, schedulerToken } from '../support/scheduler.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;

beforeAll(async () => {
  const unlimited = { MAX_IN_FLIGHT_PER_USER: '1000', MAX_PER_MINUTE_PER_USER: '10000' };
  stack = await startStack({ ...schedulerEnv, ...unlimited });
  stack.gemini.always(geminiFault.blank());
});
afterAll(() => stack.close());
beforeEach(async () => {
  await stack.clear();
  stack.logs.length = 0;
});

type Reconciled = { checked: number; adjusted: number; broken: Audit[] };

async function reconcile(url?: string): Promise<Reconciled> {
  const { status, body } = await runJob(stack, 'reconcile', url ? { url } : {});
  expect(status).toBe(200);
  return body;
}

/** An account with three entries: 10 credits, an image for 2 and one for 1. */
async function createSpender(uid: string) {
  const user = await stack.user(uid, 10);
  for (const [key, tier] of [
    ['a', 'premium2'],
    ['b', 'standard'],
  ] as const)
    expect((await user.generate(key, { tier })).status).toBe(200);
  return user;
}

const entryPath = async (uid: string, sequence: number) => {
  const entry = (await stack.ledger(uid)).entries.find((each) => each.sequence === sequence);
  return `accounts/${uid}/entries/${entry?.id}`;
};
const findErrors = () => stack.logs.filter(({ severity }) => severity === 'ERROR');

describe('an open console edit', () => {
  it('becomes one entry and is counted', async () => {
    for (const uid of ['ann', 'bob', 'cleo']) await createSpender(uid);
    await stack.edit('accounts/ann', { balance: 74, note: 'a prize' });
    await stack.edit('accounts/bob', { adjust: -2 });
    expect(await reconcile()).toEqual({ checked: 3, adjusted: 2, broken: [] });
    expect((await stack.ledger('ann')).entries.at(-1)).toMatchObject({
      type: 'adjustment',
      amount: 67,
      balance: 74,
      reason: 'a prize',
    });
    expect((await stack.ledger('bob')).account).toMatchObject({ balance: 5, settled: 5, sequence: 4 });
    for (const uid of ['ann', 'bob', 'cleo']) expect(await brokenInvariants(stack, uid)).toEqual([]);
    expect(await reconcile()).toEqual({ checked: 3, adjusted: 0, broken: [] });
    expect(findErrors()).toEqual([]);
  });

  it('that created an account opens it in the ledger', async () => {
    await stack.user('ann', 74);
    await stack.user('bob', 0);
    expect(await reconcile()).toEqual({ checked: 2, adjusted: 1, broken: [] });
    expect((await stack.ledger('ann')).account).toMatchObject({ balance: 74, settled: 74, sequence: 1 });
    expect((await stack.ledger('bob')).account).toMatchObject({ balance: 0, settled: 0, sequence: 0 });
  });

  it('of a deleted and recreated account is one adjustment after its old entries', async () => {
    await createSpender('ann');
    await stack.erase('accounts/ann');
    await stack.edit('accounts/ann', { balance: 50 });
    expect(await reconcile()).toEqual({ checked: 1, adjusted: 1, broken: [] });
    expect((await stack.ledger('ann')).entries.map(({ amount }) => amount)).toEqual([10, -2, -1, 43]);
  });

  it('is recorded once by four concurrent calls on two servers', async () => {
    await createSpender('ann');
    await stack.edit('accounts/ann', { balance: 74, adjust: 3 });
    const { url: other } = await stack.startServer();
    const answers = await Promise.all([undefined, other, undefined, other].map((url) => reconcile(url)));
    expect(answers.reduce((sum, { adjusted }) => sum + adjusted, 0)).toBe(1);
    expect(answers.flatMap(({ broken }) => broken)).toEqual([]);
    expect((await stack.ledger('ann')).entries.map(({ amount }) => amount)).toEqual([10, -2, -1, 70]);
  });
});

describe('an account that does not add up is reported and never corrected', () => {
  const tampering: [string, (uid: string) => Promise<unknown>, RegExp][] = [
    [
      'settled was changed, and the balance with it',
      (uid) => stack.edit(`accounts/${uid}`, { balance: 9, settled: 9 }),
      /7.*9/,
    ],
    ['settled was changed', (uid) => stack.edit(`accounts/${uid}`, { settled: 9 }), /./],
    ['sequence was raised', (uid) => stack.edit(`accounts/${uid}`, { sequence: 8 }), /3.*8/],
    ['sequence was lowered', (uid) => stack.edit(`accounts/${uid}`, { sequence: 2 }), /3.*2/],
    ['an entry was deleted', async (uid) => stack.erase(await entryPath(uid, 2)), /9.*7/],
    ['the newest entry was deleted', async (uid) => stack.erase(await entryPath(uid, 3)), /8.*7/],
    [
      "an entry's amount was changed",
      async (uid) => stack.edit(await entryPath(uid, 2), { amount: -1 }),
      /8.*7/,
    ],
    [
      'an entry was added',
      (uid) => stack.edit(`accounts/${uid}/entries/forged`, { sequence: 4, amount: 0, type: 'grant' }),
      /4.*3/,
    ],
    ['the sequence has a gap', async (uid) => stack.edit(await entryPath(uid, 3), { sequence: 5 }), /./],
    [
      'a generation was deleted',
      async (uid) => {
        const [generation] = (await stack.ledger(uid)).generations;
        return stack.erase(`accounts/${uid}/generations/${generation?.id}`);
      },
      /3.*1/,
    ],
    [
      'a succeeded generation was changed to refunded',
      async (uid) => {
        const [generation] = (await stack.ledger(uid)).generations;
        return stack.edit(`accounts/${uid}/generations/${generation?.id}`, { status: 'refunded' });
      },
      /3.*1/,
    ],
    ['the balance is text', (uid) => stack.edit(`accounts/${uid}`, { balance: 'seven' }), /balance/],
    ['the balance is negative', (uid) => stack.edit(`accounts/${uid}`, { balance: -7 }), /balance/],
    ['the balance is missing', (uid) => stack.edit(`accounts/${uid}`, { balance: undefined }), /balance/],
    ['adjust is text', (uid) => stack.edit(`accounts/${uid}`, { adjust: '5' }), /adjust/],
  ];

  it.each(tampering)('%s', async (_, tamper, words) => {
    await createSpender('ann');
    await createSpender('bob');
    await tamper('ann');
    const before = await stack.ledger('ann');
    const first = await reconcile();
    expect(first.checked).toBe(2);
    expect(first.broken.map(({ uid, ok }) => [uid, ok])).toEqual([['ann', false]]);
    const [{ differences } = { differences: [] }] = first.broken;
    expect(differences.length).toBeGreaterThan(0);
    expect(differences.join('; ')).toMatch(words);
    expect(findErrors()).toEqual([expect.objectContaining({ uid: 'ann', differences })]);

    const second = await reconcile();
    expect(second.broken.map(({ uid }) => uid)).toEqual(['ann']);
    expect(second.adjusted).toBe(0);
    // A changed `settled` alone looks like an edit of the balance.
    if (before.account.balance === before.account.settled || first.adjusted === 0) {
      expect(first.adjusted).toBe(0);
      expect(await stack.ledger('ann')).toEqual(before);
    }
  });

  it('and an edit that cannot be recorded does not stop the other accounts', async () => {
    for (const uid of ['ann', 'bob', 'cleo']) await createSpender(uid);
    // The id of the adjustment is taken, so no commit for this account can succeed.
    await stack.edit('accounts/bob/entries/adjustment:4', { sequence: 9, amount: 1, type: 'grant' });
    for (const uid of ['ann', 'bob', 'cleo']) await stack.edit(`accounts/${uid}`, { balance: 50 });
    // The ten seconds of retries take one second on this clock.
    const { url } = await stack.startServer(
      {},
      { clock: { ...systemClock, elapsed: () => 10 * performance.now() } },
    );
    const { body } = await runJob(stack, 'reconcile', { url });
    for (const uid of ['ann', 'cleo']) {
      expect((await stack.ledger(uid)).account).toMatchObject({ balance: 50, settled: 50, sequence: 4 });
    }
    expect(body.broken).toMatchObject([{ uid: 'bob' }]);
    expect(findErrors()).toContainEqual(expect.objectContaining({ uid: 'bob' }));
    // The next call does not start with this account and get stuck.
    expect((await stack.document('jobs/reconcile'))?.after ?? null).toBeNull();
  });
});

describe('no false alarm', () => {
  it('during 30 generations and edits', async () => {
    const uids = Array.from({ length: 5 }, (_, i) => `user-${i}`);
    const users = await Promise.all(uids.map((uid) => stack.user(uid, 40)));
    stack.gemini.script(...Array.from({ length: 8 }, () => geminiFault.noImage('SAFETY')));
    let running = true;
    const generations = Promise.all(
      users.flatMap((user) => ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => user.generate(key))),
    ).finally(() => {
      running = false;
    });
    const edits = async () => {
      for (let balance = 40; running; balance += 1)
        for (const uid of uids) await stack.edit(`accounts/${uid}`, { balance });
    };
    const runs: Reconciled[] = [];
    const audits: Audit[] = [];
    const watch = async () => {
      while (running || runs.length < 3) {
        runs.push(await reconcile());
        const page = await stack.fetch('audit', { headers: { authorization: 'Bearer owner' } });
        audits.push(...page.body.accounts);
      }
    };
    const [answers] = await Promise.all([generations, edits(), watch()]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(22);
    expect(runs.flatMap(({ broken }) => broken)).toEqual([]);
    expect(audits.filter(({ ok }) => !ok)).toEqual([]);
    expect(audits.length).toBeGreaterThanOrEqual(15);
    expect(findErrors()).toEqual([]);
    expect((await reconcile()).broken).toEqual([]);
    for (const uid of uids) expect(await brokenInvariants(stack, uid)).toEqual([]);
  });

  it('for pending, refunded and deleted generations', async () => {
    const user = await stack.user('ann', 20);
    stack.gemini.script(geminiFault.noImage('SAFETY'), geminiFault.hang());
    expect((await user.generate('refunded')).status).toBe(422);
    const hanging = user.generate('pending', { tier: 'premium4' }).catch(() => undefined);
    await expect.poll(async () => (await stack.ledger('ann')).account.balance).toBe(16);
    const { id } = (await user.generate('deleted')).body.generation;
    await user.post('deleteGeneration', { id });
    const states = (await stack.ledger('ann')).generations.map(({ status }) => status).sort();
    expect(states).toEqual(['deleted', 'pending', 'refunded']);
    expect(await reconcile()).toEqual({ checked: 1, adjusted: 0, broken: [] });
    void hanging;
  });
});

describe('many accounts', () => {
  const uids = Array.from({ length: 130 }, (_, i) => `user-${String(i).padStart(3, '0')}`);
  const createAll = () =>
    Promise.all(
      [0, 65].map((from) =>
        stack.database.commit(
          uids.slice(from, from + 65).map((uid) => ({ create: `accounts/${uid}`, data: { balance: 7 } })),
        ),
      ),
    );

  /** A database that records the audited accounts, and calls `atPage` before each page of accounts. */
  function watchAudits(atPage: () => void = () => {}) {
    const audited: string[] = [];
    const database: Database = {
      ...stack.database,
      page(request) {
        if (request.collection === 'accounts') atPage();
        return stack.database.page(request);
      },
      totals(path, requests) {
        audited.push(path.slice('accounts/'.length));
        return stack.database.totals(path, requests);
      },
    };
    return { database, audited };
  }
  const getPosition = async () => (await stack.document('jobs/reconcile'))?.after ?? null;

  it('are each audited once, page by page', async () => {
    await createAll();
    const { database, audited } = watchAudits();
    const { url } = await stack.startServer({}, { database });
    expect(await reconcile(url)).toEqual({ checked: 130, adjusted: 130, broken: [] });
    expect(audited.toSorted()).toEqual(uids);
    expect(await getPosition()).toBeNull();
    expect((await stack.ledger('user-129')).account).toMatchObject({ settled: 7, sequence: 1 });
  });

  it.each(['a/b', '..', '__x__', '', 'x'.repeat(1_501), 7])(
    'are audited from the first one if the stored position is %j',
    async (after) => {
      await createAll();
      await stack.database.commit([{ set: 'jobs/reconcile', data: { after } }]);
      expect(await reconcile((await stack.startServer()).url)).toMatchObject({ checked: 130, broken: [] });
      expect(await getPosition()).toBeNull();
    },
  );

  it('are audited by several calls, each from where the last one ran out of time', async () => {
    await createAll();
    let elapsed = 0;
    // Every page takes so long that a call has time for one only.
    const { database, audited } = watchAudits(() => {
      elapsed += 241_000;
    });
    const { url } = await stack.startServer(
      {},
      { database, clock: { ...systemClock, elapsed: () => elapsed } },
    );
    const counts = [];
    for (let call = 0; call < 10 && (call === 0 || (await getPosition()) !== null); call += 1) {
      const { checked, broken } = await reconcile(url);
      expect(broken).toEqual([]);
      counts.push(checked);
      const at = await getPosition();
      expect(at === null || uids.includes(String(at))).toBe(true);
    }
    expect(counts.length).toBeGreaterThan(1);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect(audited.toSorted()).toEqual(uids);
    // The next call starts again at the first account.
    audited.length = 0;
    await reconcile(url);
    expect(audited.toSorted()[0]).toBe('user-000');
  });

  it('may be deleted during the call', async () => {
    await createAll();
    let pages = 0;
    const { database } = watchAudits(() => {
      pages += 1;
    });
    const { url } = await stack.startServer(
      {},
      {
        database: {
          ...database,
          async page(request) {
            const page = await database.page(request);
            if (request.collection === 'accounts' && pages === 1) {
              await stack.database.commit([{ delete: 'accounts/user-003' }, { delete: 'accounts/user-049' }]);
            }
            return page;
          },
        },
      },
    );
    const { adjusted, broken } = await reconcile(url);
    expect([adjusted, broken]).toEqual([128, []]);
    expect(await stack.document('accounts/user-003')).toBeUndefined();
  });
});

it('has the database sum the entries, without reading them', async () => {
  await createSpender('ann');
  const counting = countingDatabase(stack.database);
  const { url } = await stack.startServer({}, { database: counting.database });
  const cost = async () => {
    counting.reset();
    expect(await reconcile(url)).toEqual({ checked: 1, adjusted: 0, broken: [] });
    return { documents: counting.documentsRead(), trips: [...counting.trips] };
  };
  const before = await cost();
  const { account } = await stack.ledger('ann');
  const sequence = Number(account.sequence);
  for (let from = 0; from < 300; from += 100) {
    await stack.database.commit(
      Array.from({ length: 100 }, (_, i) => ({
        create: `accounts/ann/entries/old-${from + i}`,
        data: {
          sequence: sequence + from + i + 1,
          type: 'grant',
          amount: (from + i) % 2 ? -1 : 1,
          balance: Number(account.balance) + ((from + i) % 2 ? 0 : 1),
          createdAt: new Date(),
        },
      })),
    );
  }
  await stack.edit('accounts/ann', { sequence: sequence + 300 });
  expect(await cost()).toEqual(before);
  expect(before.documents).toBeLessThan(10);
});

describe('who may call', () => {
  it('the scheduler, with a token signed by Google', async () => {
    await createSpender('ann');
    const { status, body } = await runJob(stack, 'reconcile', { token: await schedulerToken(stack) });
    expect([status, body]).toEqual([200, { checked: 1, adjusted: 0, broken: [] }]);
  });

  it('nobody else', async () => {
    await stack.user('ann', 20);
    for (const [who, token, expected] of await createRefusedCallers(stack)) {
      const answer = await runJob(stack, 'reconcile', { token });
      const reason = expected === 401 ? 'UNAUTHENTICATED' : 'FORBIDDEN';
      expect([who, ...getRefusal(answer)]).toEqual([who, expected, reason]);
    }
    expect(await stack.document('accounts/ann')).toEqual({ balance: 20 });
  });
});
