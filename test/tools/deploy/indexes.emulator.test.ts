/**
 * Every query of the functions has an index, without which it fails in production. The emulator does not check that.
 * So the test records the queries while the functions run, and compares them with firestore.indexes.json.
 */
import { globSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { functions } from '../../../functions/index.ts';
import { geminiFault } from '../../../local/fakes/geminiFaults.ts';
import { type FakeStripe, startFakeStripe } from '../../../local/fakes/stripe/stripe.ts';
import type { Database, PageRequest, TotalRequest } from '../../../shared/database/database.ts';
import { manifest } from '../../../tools/deploy/manifest.ts';
import { answerLookups } from '../../support/adminLookup.ts';
import { runJob } from '../../support/scheduler.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { findIndexes, type IndexFile, type Query, toQuery } from './neededIndexes.ts';

const file = JSON.parse(readFileSync('firestore.indexes.json', 'utf8')) as IndexFile;

let stack: Stack;
let running = '';
const queries = new Map<string, { query: Query; by: Set<string> }>();
const callPlaces = new Set<string>();
const committingFunctions = new Set<string>();

function recordQuery(request: PageRequest | TotalRequest): void {
  const query = toQuery(request);
  const key = JSON.stringify(query);
  const entry = queries.get(key) ?? { query, by: new Set() };
  queries.set(key, { ...entry, by: entry.by.add(running) });
}

/** Records the place of a query in our sources, as `file:line`. */
function recordCallPlace(): void {
  const places = new Error().stack?.matchAll(/\/((?:shared|functions)\/[\w/]+\.ts):(\d+)/g) ?? [];
  for (const [, name, line] of places) callPlaces.add(`${name}:${line}`);
}

function createRecordingDatabase(database: Database): Database {
  return {
    ...database,
    async page(request) {
      recordCallPlace();
      recordQuery(request);
      return database.page(request);
    },
    async totals(path, requests) {
      recordCallPlace();
      for (const request of requests) recordQuery(request);
      return database.totals(path, requests);
    },
    async commit(writes) {
      committingFunctions.add(running);
      return database.commit(writes);
    },
    close: async () => {},
  };
}

let stripe: FakeStripe;

beforeAll(async () => {
  stack = await startStack();
  stripe = await startFakeStripe({
    apiKey: 'sk_test_51KeyOfTheIndexes',
    prices: [{ id: 'price_starter', unitAmount: 500 }],
  });
  stack.gemini.always(geminiFault.blank());
  answerLookups(stack);
  const database = createRecordingDatabase(stack.database);
  const env = {
    CACHE_TTL_SECONDS: '600',
    MAX_SPEND_PER_DAY_USD: '100',
    ALLOWANCE_CREDITS: '5',
    HOLD_GRACE_MS: '0',
    STRIPE_SECRET_KEY: 'sk_test_51KeyOfTheIndexes',
    STRIPE_API_BASE_URL: stripe.url,
    CREDIT_PACKS: 'starter=price_starter:100',
  };
  const { url, close } = await stack.startServer(env, { database });
  const during = async <T>(name: string, act: () => Promise<T>): Promise<T> => {
    running = name;
    return act();
  };
  const ada = await stack.user('ada', 20);
  const admin = await stack.user('admin', undefined, { admin: true });

  await during('account', () => ada.get('account', url));
  const first = await during('generate', () => ada.generate('one', {}, url));
  expect(first.status).toBe(200);
  const twin = await during('generate', () => ada.generate('two', {}, url));
  expect(twin.body.generation.cached).toBe(true);
  const { id } = first.body.generation;
  await during('generation', () => ada.get(`generation?id=${id}`, url));
  for (const path of ['gallery', 'ledger']) {
    const page = await during(path, () => ada.get(`${path}?pageSize=1`, url));
    await during(path, () => ada.get(`${path}?pageSize=1&pageToken=${page.body.nextPageToken}`, url));
  }
  for (const query of ['query=banana', 'favourite=true', 'query=banana&favourite=true']) {
    expect((await during('gallery', () => ada.get(`gallery?${query}`, url))).status).toBe(200);
  }
  await during('favourite', () => ada.post('favourite', { id, favourite: true }, {}, url));
  await during('exportAccount', () => ada.get('exportAccount', url));
  await during('enhance', () => ada.post('enhance', { prompt: 'A banana' }, {}, url));
  const shared = await during('share', () => ada.post('share', { id, shared: true }, {}, url));
  const token = shared.body.generation.shareUrl.split('/').at(-1);
  await during('sharedImage', () => stack.fetch(`i/${token}`, {}, url));
  await during('report', () => ada.post('report', { token, reason: 'other' }, {}, url));
  const { body } = await during('reports', () => admin.get('reports?pageSize=1', url));
  const resolution = { id: body.reports[0].id, resolution: 'dismissed' };
  await during('resolveReport', () => admin.post('resolveReport', resolution, {}, url));
  const third = await during('generate', () => ada.generate('three', { prompt: 'An apple' }, url));
  const removal = { uid: 'ada', generationId: third.body.generation.id, reason: 'a test' };
  expect((await during('takedown', () => admin.post('takedown', removal, {}, url))).status).toBe(200);
  const grant = { uid: 'ada', amount: 1, reason: 'a test' };
  await during('grant', () => admin.post('grant', grant, { 'idempotency-key': 'grant' }, url));
  // Pending generations are looked through.
  const held = `accounts/ada/generations/${'0'.repeat(32)}`;
  await stack.database.commit([{ create: held, data: { status: 'pending', receipt: { charged: 0 } } }]);
  await during('audit', () => admin.get('audit?pageSize=1', url));
  await stack.erase(held);
  await during('adminAccounts', () => admin.get('adminAccounts?pageSize=1', url));
  for (const find of ['ada@example.com', id]) {
    await during('adminAccounts', () => admin.get(`adminAccounts?find=${find}`, url));
  }
  await during('adminAccount', () => admin.get('adminAccount?uid=ada', url));
  // A cached copy: its original's document was deleted in the console.
  await stack.erase(`accounts/ada/generations/${id}`);
  await during('deleteGeneration', () =>
    ada.post('deleteGeneration', { id: twin.body.generation.id }, {}, url),
  );
  const keyed = { 'idempotency-key': 'purchase' };
  const checkout = await during('checkout', () => ada.post('checkout', { pack: 'starter' }, keyed, url));
  const { sessionId } = checkout.body;
  stripe.control.pay({ session: sessionId });
  const confirmed = await during('confirmCheckout', () =>
    ada.post('confirmCheckout', { sessionId }, {}, url),
  );
  expect(confirmed.body.status).toBe('paid');
  expect((await during('adminOverview', () => admin.get('adminOverview', url))).status).toBe(200);
  await during('billingPortal', () => ada.post('billingPortal', {}, {}, url));
  const closed = await during('closeAccount', () => ada.post('closeAccount', { confirm: 'CLOSE' }, {}, url));
  expect(closed.body).toEqual({ status: 'closed' });
  // An image that waits in the outbox.
  const [createdAt, generationId] = [new Date(0), '0'.repeat(32)];
  const item = { uid: 'ada', generationId, publicId: 'x', createdAt, dueAt: createdAt, until: createdAt };
  await stack.edit(`outbox/${generationId}`, item);
  for (const name of ['checkQuota', 'refillAllowances', 'sweepHolds', 'reconcile', 'reconcilePayments']) {
    const { status } = await during(name, () => runJob(stack, name, { url }));
    expect([name, status]).toEqual([name, 200]);
  }
  // What it owes is summed up when it is used again.
  await stack.erase('accounts/ada');
  await during('account', () => ada.get('account', url));
  await close();
});
afterAll(() => Promise.all([stack.close(), stripe.close()]));

describe('every query', () => {
  it('in the sources was recorded', () => {
    const calls = globSync('{shared,functions}/**/*.ts').flatMap((name) =>
      readFileSync(name, 'utf8')
        .split('\n')
        .flatMap((text, i) => (/\b[dD]atabase\.(page|totals)\(/.test(text) ? [`${name}:${i + 1}`] : [])),
    );
    expect(calls.length).toBeGreaterThan(5);
    expect(calls.filter((place) => !callPlaces.has(place))).toEqual([]);
  });

  it('has its index', () => {
    const missing = [...queries.values()].flatMap(({ query, by }) =>
      findIndexes(query, file).missing.map((what) => `${[...by].join(', ')}: ${what}`),
    );
    expect(missing).toEqual([]);
  });
});

describe('firestore.indexes.json', () => {
  const key = (value: unknown) => JSON.stringify(value);

  it('has no unused index', () => {
    const used = new Set(
      [...queries.values()].flatMap(({ query }) => findIndexes(query, file).used.map(key)),
    );
    expect(file.indexes.filter((index) => !used.has(key(index)))).toEqual([]);
  });

  it('has each index once, and every index is necessary', () => {
    expect(new Set(file.indexes.map(key)).size).toBe(file.indexes.length);
    for (const index of file.indexes) {
      const without = { ...file, indexes: file.indexes.filter((one) => one !== index) };
      const missing = [...queries.values()].flatMap(({ query }) => findIndexes(query, without).missing);
      expect(missing, key(index)).not.toEqual([]);
    }
  });

  it('has no unused single-field index', () => {
    const singleFieldIndexes = file.fieldOverrides.flatMap((override) =>
      override.indexes.map((index) => ({ override, index })),
    );
    for (const { override, index } of singleFieldIndexes) {
      const without = {
        ...file,
        fieldOverrides: file.fieldOverrides.map((one) =>
          one === override ? { ...one, indexes: one.indexes.filter((each) => each !== index) } : one,
        ),
      };
      const missing = [...queries.values()].flatMap(({ query }) => findIndexes(query, without).missing);
      expect(missing, `${override.collectionGroup}.${override.fieldPath} ${key(index)}`).not.toEqual([]);
    }
  });

  it('exempts all fields of frequently written collections from automatic indexes', () => {
    const exempt = file.fieldOverrides.filter(({ fieldPath }) => fieldPath === '*');
    expect(exempt.map(({ collectionGroup }) => collectionGroup).sort()).toEqual(
      ['accounts', 'cache', 'enhancements', 'entries', 'generations', 'outbox', 'purchases'].sort(),
    );
  });

  it('has TTL policies that delete expired cache items and counts of improved prompts', () => {
    const policies = file.fieldOverrides.filter(({ ttl }) => ttl);
    expect(policies.map(({ collectionGroup, fieldPath }) => [collectionGroup, fieldPath])).toEqual([
      ['cache', 'expiresAt'],
      ['enhancements', 'expiresAt'],
    ]);
  });
});

describe('a function with read access', () => {
  it('never commits', () => {
    const readers = Object.entries(manifest).filter(
      ([, { roles }]) => !roles.includes('roles/datastore.user'),
    );
    const names = readers.map(([name]) => name);
    expect(names.every((name) => name in functions)).toBe(true);
    expect(names.filter((name) => committingFunctions.has(name))).toEqual([]);
    expect(committingFunctions.has('generate')).toBe(true);
  });

  it('uses the database only if it has a role for it', () => {
    const without = Object.entries(manifest).filter(([, { roles }]) => roles.length === 0);
    const by = new Set([...queries.values()].flatMap((entry) => [...entry.by]));
    expect(without.filter(([name]) => by.has(name))).toEqual([]);
  });
});
