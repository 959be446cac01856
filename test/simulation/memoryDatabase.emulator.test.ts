/** The database in memory gives the same results as the emulator for the same random operations. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parseConfig } from '../../shared/config/config.ts';
import {
  CommitRejected,
  type Data,
  type Database,
  type Filter,
  type PageRequest,
  removed,
  type Version,
  type Write,
} from '../../shared/database/database.ts';
import { fc } from '../support/properties.ts';
import { createMemoryDatabase, createMemoryStore } from './memoryDatabase.ts';

const runs = 50;
let emulator: Database;
let run = 0;

beforeAll(async () => {
  const FIRESTORE_EMULATOR_HOST = inject('firestoreHost');
  const config = parseConfig({ GOOGLE_CLOUD_PROJECT: `demo-memory-${process.pid}`, FIRESTORE_EMULATOR_HOST });
  emulator = (await import('../../shared/database/firestore.ts')).createDatabase(config);
});
afterAll(() => emulator.close());

/** One of the databases, with the versions of each document so far. */
type Side = { database: Database; versions: Map<string, Version[]>; first?: Version };

type Named = 'ada' | 'bob' | 'eve';
const names: Named[] = ['ada', 'bob', 'eve'];
const time = (n: number) => new Date(Date.UTC(2026, 0, 1) + n);
const scalar = fc.oneof(
  fc.integer({ min: -2, max: 2 }),
  fc.constantFrom('', 'a', 'B', 'é', '\u{1F34C}', '￿'),
  fc.constantFrom(time(0), time(1), time(2)),
  fc.constantFrom(null, true, false, 0.5, -1.5),
);
const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 2 }) },
  { weight: 1, arbitrary: fc.record({ charged: fc.integer({ min: 0, max: 3 }) }, { noNullPrototype: true }) },
  { weight: 1, arbitrary: fc.constant(undefined) },
);
const fields = fc.dictionary(fc.constantFrom('n', 'm', 'kind'), value, { maxKeys: 3, noNullPrototype: true });
/** Fields that queries compare. */
const simple = fc.dictionary(fc.constantFrom('at', 'state'), value, { maxKeys: 2, noNullPrototype: true });

const write = fc.record({
  op: fc.constantFrom('create', 'set', 'update', 'update', 'update', 'delete'),
  name: fc.constantFrom(...names),
  parent: fc.constantFrom('x', 'y'),
  data: fc.tuple(fields, simple).map(([a, b]): Data => ({ ...a, ...b })),
  remove: fc.constantFrom(undefined, undefined, 'n', 'at'),
  /** How many versions old the read of the update is. */
  age: fc.constantFrom(0, 0, 0, 0, 1, 2),
});
type RandomWrite = typeof write extends fc.Arbitrary<infer T> ? T : never;
/** No document twice in one commit: the ledger never does that. */
const commit = fc.uniqueArray(write, {
  minLength: 1,
  maxLength: 4,
  selector: ({ name, parent }) => parent + name,
});

const anyQuery = fc.record({
  group: fc.boolean(),
  filter: fc.constantFrom<Filter | undefined>(
    undefined,
    ['state', '==', 'a'],
    ['state', 'in', ['a', null, 1]],
    ['n', 'array-contains', 1],
    ['at', '<=', time(1)],
    ['at', '>', time(0)],
    ['at', '>=', 0],
    ['at', '<', 2],
  ),
  order: fc.constantFrom<PageRequest['orderBy']>(
    [['__name__', 'asc']],
    [['at', 'asc']],
    [
      ['at', 'desc'],
      ['__name__', 'desc'],
    ],
    [
      ['at', 'asc'],
      ['__name__', 'desc'],
    ],
    [
      ['state', 'asc'],
      ['at', 'desc'],
    ],
  ),
  limit: fc.integer({ min: 1, max: 3 }),
});
/** An inequality requires its field before the name in the order. */
const query = anyQuery.filter(({ filter, order }) => filter?.[0] !== 'at' || order[0]?.[0] !== '__name__');
type RandomQuery = typeof query extends fc.Arbitrary<infer T> ? T : never;

const toPath = ({ parent, name }: { parent: string; name: string }) =>
  `runs/${run}/${parent}/1/list${run}/${name}`;
const everyPath = ['x', 'y'].flatMap((parent) => names.map((name) => ({ parent, name })));

function createWrites(side: Side, drafts: RandomWrite[]): Write[] {
  return drafts.map((draft): Write => {
    const path = toPath(draft);
    if (draft.op === 'create') return { create: path, data: draft.data };
    if (draft.op === 'set') return { set: path, data: draft.data };
    if (draft.op === 'delete') return { delete: path };
    // The version of another document is an old one: Firestore refuses versions from the future as a bad request.
    const at = side.versions.get(path)?.at(-1 - draft.age) ?? side.first;
    // Without any version there is nothing to update.
    if (!at) return { create: path, data: draft.data };
    return { update: path, data: { ...draft.data, ...(draft.remove && { [draft.remove]: removed }) }, at };
  });
}

/** The result of a commit, without the versions, which differ between the databases. */
async function commitDrafts(side: Side, drafts: RandomWrite[]): Promise<unknown> {
  const paths = everyPath.map(toPath);
  let outcome: string;
  let version: Version | undefined;
  try {
    version = await side.database.commit(createWrites(side, drafts));
    side.first ??= version;
    outcome = 'committed';
  } catch (error) {
    outcome = error instanceof CommitRejected ? 'rejected' : 'refused by the client library';
  }
  const { documents } = await side.database.read(paths);
  const after = documents.map((document, i) => {
    const path = paths[i] as string;
    const known = side.versions.get(path) ?? [];
    side.versions.set(path, known);
    if (!document) return undefined;
    const isNew = !known.at(-1)?.isEqual(document.version as never);
    if (isNew) known.push(document.version);
    const { data, id } = document;
    return { path: document.path, id, data, isNew, ours: version?.isEqual(document.version as never) };
  });
  return { outcome, after };
}

/** All pages of a query. */
async function readPages(side: Side, { group, filter, order, limit }: RandomQuery): Promise<unknown[]> {
  const collection = group ? `list${run}` : `runs/${run}/x/1/list${run}`;
  const where = filter ? [filter] : [];
  const found: unknown[] = [];
  let after: unknown[] | undefined;
  // Up to the empty page at the end.
  for (let i = 0; i < 8; i += 1) {
    const request = { collection, group, where, orderBy: order, limit, ...(after && { after }) };
    const { documents } = await side.database.page(request);
    found.push(documents.map(({ path, data }) => ({ path, data })));
    const last = documents.at(-1);
    if (!last) break;
    after = order.map(([field]) => {
      if (field === '__name__') return group ? last.path : last.id;
      return last.data[field];
    });
  }
  return found;
}

function totals({ database }: Side): Promise<unknown> {
  const collection = `runs/${run}/x/1/list${run}`;
  const path = `${collection}/ada`;
  return database
    .totals(path, [
      { collection, field: 'n' },
      { collection, where: [['state', 'in', ['a', 1]]], field: 'm.charged' },
      { collection, where: [['at', '<=', time(1)]], field: 'at' },
      { collection: 'nothing', field: 'n' },
    ])
    .then(({ document, totals: sums }) => ({ data: document?.data, sums }));
}

describe('the database in memory', () => {
  it(`equals the emulator in ${runs} random runs`, { timeout: 120_000 }, async () => {
    const counts: Record<string, number> = {};
    await fc.assert(
      fc.asyncProperty(
        fc.array(commit, { minLength: 4, maxLength: 10 }),
        fc.array(query, { minLength: 3, maxLength: 6 }),
        async (commits, queries) => {
          run += 1;
          const store = createMemoryStore(() => Date.now());
          const sides: [Side, Side] = [
            { database: createMemoryDatabase(store), versions: new Map() },
            { database: emulator, versions: new Map() },
          ];
          const both = async (act: (side: Side) => Promise<unknown>) => {
            const [ours, theirs] = [await act(sides[0]), await act(sides[1])];
            expect(ours).toEqual(theirs);
            return ours;
          };
          for (const drafts of commits) {
            const { outcome } = (await both((side) => commitDrafts(side, drafts))) as { outcome: string };
            counts[outcome] = (counts[outcome] ?? 0) + 1;
          }
          for (const one of queries) await both((side) => readPages(side, one));
          await both(totals);
        },
      ),
      { numRuns: runs, endOnFailure: true },
    );
    process.stdout.write(`outcomes: ${JSON.stringify(counts)}\n`);
    expect(counts.committed).toBeGreaterThan(runs);
    expect(counts.rejected).toBeGreaterThan(runs / 2);
  });

  it('refuses a cursor that the client library refuses', async () => {
    const orderBy = [['__name__', 'asc']] as const;
    const memory = createMemoryDatabase(createMemoryStore(() => Date.now()));
    const cursors = [
      { collection: 'list', after: ['list/a'] },
      { collection: 'list', group: true, after: ['a'] },
      { collection: 'list', after: ['a', 'b'] },
    ];
    for (const cursor of cursors) {
      for (const database of [memory, emulator]) {
        await expect(database.page({ ...cursor, orderBy, limit: 1 })).rejects.toThrow();
      }
    }
  });

  it('returns copies', async () => {
    const memory = createMemoryDatabase(createMemoryStore(() => Date.now()));
    const data = { list: [1], map: { at: time(0) } };
    await memory.commit([{ create: 'list/a', data }]);
    data.list.push(2);
    const first = (await memory.read(['list/a'])).documents[0]?.data as typeof data;
    first.map.at.setTime(0);
    expect((await memory.read(['list/a'])).documents[0]?.data).toEqual({ list: [1], map: { at: time(0) } });
  });

  it('gives each commit one new version, and never lets time run backwards', async () => {
    let now = 5_000;
    const memory = createMemoryDatabase(createMemoryStore(() => now));
    const first = await memory.commit([
      { create: 'list/a', data: { n: 1 } },
      { create: 'list/b', data: { n: 1 } },
    ]);
    now = 4_000;
    const second = await memory.commit([{ update: 'list/a', data: { n: 2 }, at: first }]);
    const { documents, readTime } = await memory.read(['list/a', 'list/b']);
    expect(documents[0]?.version.isEqual(second as never)).toBe(true);
    expect(documents[1]?.version.isEqual(first as never)).toBe(true);
    expect(second.isEqual(first as never)).toBe(false);
    expect(readTime).toEqual(new Date(5_000));
    await expect(memory.commit([{ update: 'list/a', data: { n: 3 }, at: first }])).rejects.toThrow(
      CommitRejected,
    );
    await expect(memory.commit([])).rejects.toThrow();
  });
});
