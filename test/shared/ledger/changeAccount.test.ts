/** The log lines of entries whose commit's reply was lost: one for each entry that landed, from the process that made it. */
import { expect, it } from 'vitest';
import type { Fields, Log } from '../../../shared/core/log.ts';
import type { Database, Version, Write } from '../../../shared/database/database.ts';
import { changeAccount } from '../../../shared/ledger/changeAccount.ts';
import { grantCredits } from '../../../shared/ledger/creditChanges.ts';
import { entryPath } from '../../../shared/ledger/entries.ts';
import { createLedger } from '../../../shared/ledger/ledger.ts';
import { recordConsoleEdit } from '../../../shared/ledger/recordConsoleEdit.ts';
import {
  createMemoryDatabase,
  createMemoryStore,
  type MemoryStore,
} from '../../simulation/memoryDatabase.ts';
import { createLedgerSettings } from '../../support/ledgerSettings.ts';
import { virtualClock } from '../../support/virtualClock.ts';

const uid = 'ann';
const limits = { maxInFlightPerUser: 1, maxPerMinutePerUser: 1, maxRefundsPerHourPerUser: 1_000 };
const settings = createLedgerSettings({ limits });
const unavailable = () => Object.assign(new Error('The connection broke'), { code: 14 });

/** A store with one account, whose time moves on with every call. */
function createStore(): MemoryStore {
  let now = 0;
  const store = createMemoryStore(() => ++now);
  store.commit([{ create: `accounts/${uid}`, data: { balance: 10, settled: 10, sequence: 1 } }]);
  return store;
}

/** A ledger of its own process on the store, and what it logs. */
function createProcess(store: MemoryStore, faults: Partial<Database> = {}) {
  const lines: Fields[] = [];
  const log: Log = { info: (_, fields = {}) => void lines.push(fields), warning() {}, error() {} };
  const database = { ...createMemoryDatabase(store), ...faults };
  const ledger = createLedger(database, settings, log, virtualClock().clock);
  return { ledger, entryIds: () => lines.map(({ entryId }) => entryId) };
}

/** Grants credits once; a repeated attempt reads one more document before it answers. */
function grantOnce(ledger: ReturnType<typeof createProcess>['ledger']) {
  const entry = entryPath(uid, 'grant:once');
  return changeAccount(ledger, uid, {
    reads: () => [entry],
    missing: { answer: false },
    decide({ account, documents }) {
      if (documents.has('jobs/once')) return { answer: true };
      if (documents.get(entry)) return { read: ['jobs/once'] };
      const grant = { id: 'grant:once', amount: 5, reason: 'goodwill', actor: 'root' };
      return { change: grantCredits(account, grant), answer: () => true };
    },
  });
}

/** Runs the first commit with `act`, and every other one as usual. */
function withFirstCommit(store: MemoryStore, act: (writes: readonly Write[]) => Promise<Version>) {
  let commits = 0;
  return async (writes: readonly Write[]) => {
    commits += 1;
    return commits === 1 ? act(writes) : store.commit(writes);
  };
}

it('logs an entry once if its commit landed and the reply was lost', async () => {
  const store = createStore();
  const commit = withFirstCommit(store, async (writes) => {
    store.commit(writes);
    throw unavailable();
  });
  const { ledger, entryIds } = createProcess(store, { commit });
  // The command reads the landed entry only in the next attempt, and does not ask for it.
  expect(await recordEdit(store, ledger)).toMatchObject({ recorded: false });
  expect(entryIds()).toEqual(['adjustment:2']);
});

it('logs an entry once even if the attempt that found it fails as well', async () => {
  const store = createStore();
  const commit = withFirstCommit(store, async (writes) => {
    store.commit(writes);
    throw unavailable();
  });
  let failures = 1;
  const read = async (paths: readonly string[]) => {
    if (paths.includes('jobs/once') && failures-- > 0) throw unavailable();
    return store.read(paths);
  };
  const { ledger, entryIds } = createProcess(store, { commit, read });
  expect(await grantOnce(ledger)).toBe(true);
  expect(entryIds()).toEqual(['grant:once']);
});

it('logs an entry once if its first commit did not land', async () => {
  const store = createStore();
  const commit = withFirstCommit(store, () => Promise.reject(unavailable()));
  const { ledger, entryIds } = createProcess(store, { commit });
  expect(await grantOnce(ledger)).toBe(true);
  expect(entryIds()).toEqual(['grant:once']);
});

it('does not log an entry that another process has committed', async () => {
  const store = createStore();
  const other = createProcess(store);
  const commit = withFirstCommit(store, async (writes) => {
    await recordConsoleEdit(other.ledger, uid);
    return store.commit(writes);
  });
  const { ledger, entryIds } = createProcess(store, { commit });
  expect(await recordEdit(store, ledger)).toMatchObject({ recorded: false });
  expect(other.entryIds()).toEqual(['adjustment:2']);
  expect(entryIds()).toEqual([]);
});

/** An admin edits the balance, and the ledger records it. */
function recordEdit(store: MemoryStore, ledger: ReturnType<typeof createProcess>['ledger']) {
  const { documents } = store.read([`accounts/${uid}`]);
  store.commit([{ update: `accounts/${uid}`, data: { balance: 12 }, at: documents[0]?.version as Version }]);
  return recordConsoleEdit(ledger, uid);
}
