/**
 * Every query that the functions make has its index in production, where one without fails. The emulator
 * would not say: the queries are recorded while the functions run, and compared with firestore.indexes.json.
 */
import { globSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { functions } from '../../../functions/index.ts';
import { geminiFault } from '../../../local/fakes/geminiFaults.ts';
import type { Database, PageRequest, TotalRequest } from '../../../shared/database/database.ts';
import { manifest } from '../../../tools/deploy/manifest.ts';
import { answerLookups } from '../../support/adminLookup.ts';
import { onePixelPng } from '../../support/pictures.ts';
import { runJob } from '../../support/scheduler.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { type IndexFile, type Query, queryOf, serve } from './neededIndexes.ts';

const file = JSON.parse(readFileSync('firestore.indexes.json', 'utf8')) as IndexFile;

let stack: Stack;
let running = '';
const queries = new Map<string, { query: Query; by: Set<string> }>();
const asked = new Set<string>();
const committed = new Set<string>();

function record(request: PageRequest | TotalRequest): void {
  const query = queryOf(request);
  const key = JSON.stringify(query);
  const entry = queries.get(key) ?? { query, by: new Set() };
  queries.set(key, { ...entry, by: entry.by.add(running) });
}

/** Where in our sources a query is made, as `file:line`. */
function notePlace(): void {
  const places = new Error().stack?.matchAll(/\/((?:shared|functions)\/[\w/]+\.ts):(\d+)/g) ?? [];
  for (const [, name, line] of places) asked.add(`${name}:${line}`);
}

function recording(database: Database): Database {
  return {
    ...database,
    async page(request) {
      notePlace();
      record(request);
      return database.page(request);
    },
    async totals(path, requests) {
      notePlace();
      for (const request of requests) record(request);
      return database.totals(path, requests);
    },
    async commit(writes) {
      committed.add(running);
      return database.commit(writes);
    },
    close: async () => {},
  };
}

beforeAll(async () => {
  stack = await startStack();
  stack.gemini.always(geminiFault.image(onePixelPng));
  answerLookups(stack);
  const database = recording(stack.database);
  const env = {
    CACHE_TTL_SECONDS: '600',
    MAX_SPEND_PER_DAY_USD: '100',
    ALLOWANCE_CREDITS: '5',
    HOLD_GRACE_MS: '0',
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
  await during('enhance', () => ada.post('enhance', { prompt: 'A banana' }, {}, url));
  const grant = { uid: 'ada', amount: 1, reason: 'a test' };
  await during('grant', () => admin.post('grant', grant, { 'idempotency-key': 'grant' }, url));
  await during('audit', () => admin.get('audit?pageSize=1', url));
  // A twin whose painter's document somebody has deleted in the console.
  await stack.erase(`accounts/ada/generations/${id}`);
  await during('deleteGeneration', () =>
    ada.post('deleteGeneration', { id: twin.body.generation.id }, {}, url),
  );
  for (const name of ['checkQuota', 'refillAllowances', 'sweepHolds', 'reconcile']) {
    const { status } = await during(name, () => runJob(stack, name, { url }));
    expect([name, status]).toEqual([name, 200]);
  }
  await close();
});
afterAll(() => stack.close());

describe('every query', () => {
  it('that stands in the sources was made here', () => {
    const calls = globSync('{shared,functions}/**/*.ts').flatMap((name) =>
      readFileSync(name, 'utf8')
        .split('\n')
        .flatMap((text, i) => (/\b[dD]atabase\.(page|totals)\(/.test(text) ? [`${name}:${i + 1}`] : [])),
    );
    expect(calls.length).toBeGreaterThan(5);
    expect(calls.filter((place) => !asked.has(place))).toEqual([]);
  });

  it('has its index', () => {
    const missing = [...queries.values()].flatMap(({ query, by }) =>
      serve(query, file).missing.map((what) => `${[...by].join(', ')}: ${what}`),
    );
    expect(missing).toEqual([]);
  });
});

describe('firestore.indexes.json', () => {
  const key = (value: unknown) => JSON.stringify(value);

  it('has no index that no query uses', () => {
    const used = new Set([...queries.values()].flatMap(({ query }) => serve(query, file).used.map(key)));
    expect(file.indexes.filter((index) => !used.has(key(index)))).toEqual([]);
  });

  it('has each index once, and needs all of them', () => {
    expect(new Set(file.indexes.map(key)).size).toBe(file.indexes.length);
    for (const index of file.indexes) {
      const without = { ...file, indexes: file.indexes.filter((one) => one !== index) };
      const missing = [...queries.values()].flatMap(({ query }) => serve(query, without).missing);
      expect(missing, key(index)).not.toEqual([]);
    }
  });

  it('indexes no field by itself that no query needs', () => {
    const given = file.fieldOverrides.flatMap((override) =>
      override.indexes.map((index) => ({ override, index })),
    );
    for (const { override, index } of given) {
      const without = {
        ...file,
        fieldOverrides: file.fieldOverrides.map((one) =>
          one === override ? { ...one, indexes: one.indexes.filter((each) => each !== index) } : one,
        ),
      };
      const missing = [...queries.values()].flatMap(({ query }) => serve(query, without).missing);
      expect(missing, `${override.collectionGroup}.${override.fieldPath} ${key(index)}`).not.toEqual([]);
    }
  });

  it('leaves no field of a collection that everybody writes indexed by default', () => {
    const exempt = file.fieldOverrides.filter(({ fieldPath }) => fieldPath === '*');
    expect(exempt.map(({ collectionGroup }) => collectionGroup).sort()).toEqual(
      ['accounts', 'cache', 'entries', 'generations', 'outbox'].sort(),
    );
  });

  it('has the database delete what is out of the cache', () => {
    const [cache, ...others] = file.fieldOverrides.filter(({ ttl }) => ttl);
    expect(cache).toMatchObject({ collectionGroup: 'cache', fieldPath: 'expiresAt' });
    expect(others).toEqual([]);
  });
});

describe('a function that may only read', () => {
  it('commits nothing', () => {
    const readers = Object.entries(manifest).filter(
      ([, { roles }]) => !roles.includes('roles/datastore.user'),
    );
    const names = readers.map(([name]) => name);
    expect(names.every((name) => name in functions)).toBe(true);
    expect(names.filter((name) => committed.has(name))).toEqual([]);
    expect(committed.has('generate')).toBe(true);
  });

  it('asks for the database at all only where it may', () => {
    const without = Object.entries(manifest).filter(([, { roles }]) => roles.length === 0);
    const by = new Set([...queries.values()].flatMap((entry) => [...entry.by]));
    expect(without.filter(([name]) => by.has(name))).toEqual([]);
  });
});

describe('the rules by which indexes are looked for', () => {
  const none: IndexFile = { indexes: [], fieldOverrides: [] };
  const asc = (fieldPath: string) => ({ fieldPath, order: 'ASCENDING' as const });
  const desc = (fieldPath: string) => ({ fieldPath, order: 'DESCENDING' as const });
  const index = (
    queryScope: 'COLLECTION' | 'COLLECTION_GROUP',
    ...fields: ReturnType<typeof asc | typeof desc>[]
  ) => ({
    collectionGroup: 'c',
    queryScope,
    fields,
  });
  const page = (more: Partial<PageRequest>): PageRequest => ({
    collection: 'a/b/c',
    orderBy: [],
    limit: 1,
    ...more,
  });
  const isServed = (request: PageRequest | TotalRequest, given: Partial<IndexFile> = {}) =>
    serve(queryOf(request), { ...none, ...given }).missing.length === 0;

  it.each<[string, boolean, PageRequest | TotalRequest, Partial<IndexFile>?]>([
    [
      'equalities alone need none',
      true,
      page({
        where: [
          ['x', '==', 1],
          ['y', 'in', [1]],
        ],
      }),
    ],
    ['but in a group they do', false, page({ group: true, where: [['x', '==', 1]] })],
    ['nor does one order', true, page({ orderBy: [['x', 'desc']] })],
    [
      'nor a range with the order of its field',
      true,
      page({
        where: [['x', '<', 1]],
        orderBy: [
          ['x', 'asc'],
          ['__name__', 'asc'],
        ],
      }),
    ],
    [
      'an exempted field has none',
      false,
      page({ orderBy: [['x', 'desc']] }),
      { fieldOverrides: [{ collectionGroup: 'c', fieldPath: '*', indexes: [] }] },
    ],
    [
      'one direction is not the other',
      false,
      page({ orderBy: [['x', 'desc']] }),
      {
        fieldOverrides: [
          {
            collectionGroup: 'c',
            fieldPath: 'x',
            indexes: [{ order: 'ASCENDING', queryScope: 'COLLECTION' }],
          },
        ],
      },
    ],
    [
      'an equality and an order need a composite',
      false,
      page({ where: [['x', '==', 1]], orderBy: [['y', 'desc']] }),
    ],
    [
      'that one',
      true,
      page({ where: [['x', '==', 1]], orderBy: [['y', 'desc']] }),
      { indexes: [index('COLLECTION', asc('x'), desc('y'))] },
    ],
    [
      'not one of the other direction',
      false,
      page({ where: [['x', '==', 1]], orderBy: [['y', 'desc']] }),
      { indexes: [index('COLLECTION', asc('x'), asc('y'))] },
    ],
    [
      'not one of the other scope',
      false,
      page({ where: [['x', '==', 1]], orderBy: [['y', 'desc']] }),
      { indexes: [index('COLLECTION_GROUP', asc('x'), desc('y'))] },
    ],
    [
      'not one with a field more',
      false,
      page({ where: [['x', '==', 1]], orderBy: [['y', 'desc']] }),
      { indexes: [index('COLLECTION', asc('x'), asc('z'), desc('y'))] },
    ],
    [
      'two that end alike are merged',
      true,
      page({
        where: [
          ['x', '==', 1],
          ['z', '==', 1],
        ],
        orderBy: [['y', 'desc']],
      }),
      { indexes: [index('COLLECTION', asc('x'), desc('y')), index('COLLECTION', asc('z'), desc('y'))] },
    ],
    [
      'one of them is not enough',
      false,
      page({
        where: [
          ['x', '==', 1],
          ['z', '==', 1],
        ],
        orderBy: [['y', 'desc']],
      }),
      { indexes: [index('COLLECTION', asc('x'), desc('y'))] },
    ],
    [
      'a name in the other direction is a field of its own',
      false,
      page({
        where: [['x', '==', 1]],
        orderBy: [
          ['y', 'desc'],
          ['__name__', 'asc'],
        ],
      }),
      { indexes: [index('COLLECTION', asc('x'), desc('y'))] },
    ],
    ['a sum needs its field indexed', true, { collection: 'c', field: 'n' }],
    ['with an equality in a composite', false, { collection: 'c', where: [['x', 'in', [1]]], field: 'n' }],
    [
      'that one too',
      true,
      { collection: 'c', where: [['x', 'in', [1]]], field: 'n' },
      { indexes: [index('COLLECTION', asc('x'), asc('n'))] },
    ],
  ])('%s', (_, expected, request, given) => {
    expect(isServed(request, given)).toBe(expected);
  });
});
