/** What the database is to Firestore's own clients: the same documents, whoever wrote them and however odd. */
import net, { type AddressInfo } from 'node:net';
import { Firestore, GeoPoint, Timestamp } from '@google-cloud/firestore';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parseConfig } from '../../../shared/config/config.ts';
import { DeadlinePassed } from '../../../shared/core/deadline.ts';
import { CommitRejected, type Data, type Database, removed } from '../../../shared/database/database.ts';
import { createDatabase } from '../../../shared/database/firestore.ts';
import type { CallLimits } from '../../../shared/database/firestoreClient.ts';
import { startFreezingProxy } from '../../support/freezingProxy.ts';
import { startGrpcServer } from '../../support/grpcServer.ts';
import { fc } from '../../support/properties.ts';

const projectId = `demo-firestore-${process.pid}`;
let database: Database;
let admin: Firestore;

beforeAll(() => {
  const host = inject('firestoreHost');
  process.env.FIRESTORE_EMULATOR_HOST = host;
  admin = new Firestore({ projectId });
  database = databaseAt(host);
});
afterAll(async () => {
  await Promise.all([admin.terminate(), database.close()]);
});

const databaseAt = (host: string, limits?: CallLimits) =>
  createDatabase(parseConfig({ GOOGLE_CLOUD_PROJECT: projectId, FIRESTORE_EMULATOR_HOST: host }), limits);

async function readOne(path: string) {
  const { documents } = await database.read([path]);
  const [document] = documents;
  if (!document) throw new Error(`${path} is not there`);
  return document;
}

describe('a value', () => {
  const name = fc
    .string({ minLength: 1, maxLength: 8, unit: 'grapheme' })
    .filter((each) => !/^__.*__$/s.test(each));
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.string({ unit: 'grapheme' }),
      fc.maxSafeInteger(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
      // No list holds a list.
      fc.array(
        tie('any').filter((each) => !Array.isArray(each)),
        { maxLength: 3 },
      ),
      fc.dictionary(name, tie('any'), { maxKeys: 3, noNullPrototype: true }),
    ),
  })).any;

  it('that is written is what is read, and what an admin sees', async () => {
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true }), async (data) => {
        n += 1;
        await database.commit([{ set: `values/${n}`, data }]);
        expect((await readOne(`values/${n}`)).data).toStrictEqual(data);
        expect(datesIn((await admin.doc(`values/${n}`).get()).data())).toStrictEqual(data);
      }),
      {
        numRuns: 100,
        examples: [[{ minus: -0, none: Number.NaN, largest: Number.MAX_SAFE_INTEGER, beyond: 2 ** 53 }]],
      },
    );
  });

  it('that only an admin can have written goes back as it came', async () => {
    const odd = {
      place: new GeoPoint(1.5, -2),
      reference: admin.doc('accounts/ada'),
      bytes: Buffer.from('bytes'),
      list: [new GeoPoint(0, 0), { inner: admin.doc('a/b') }],
      infinite: Number.POSITIVE_INFINITY,
    };
    await admin.doc('odd/first').set(odd);
    const { data } = await readOne('odd/first');
    await database.commit([{ create: 'odd/copy', data }]);
    const [first, copy] = await admin.getAll(admin.doc('odd/first'), admin.doc('odd/copy'));
    expect(copy?.data()).toEqual(first?.data());
    expect(copy?.get('place')).toEqual(odd.place);
    expect(copy?.get('bytes')).toEqual(odd.bytes);
    expect(Object.keys(data.place as object)).toEqual([]);
  });

  it('of the last moment there is can be written again', async () => {
    const last = new Timestamp(253_402_300_799, 999_999_000);
    await admin.doc('last/1').set({ until: last });
    const { data } = await readOne('last/1');
    expect(data.until).toEqual(new Date('9999-12-31T23:59:59.999Z'));
    await database.commit([{ set: 'last/2', data }]);
    expect((await readOne('last/2')).data).toEqual(data);
  });

  it.each([
    ['a symbol', Symbol('x')],
    ['a function', () => 1],
    ['an instance', new Map()],
    ['a BigInt', 1n],
    ['a date that is none', new Date(Number.NaN)],
  ])('that Firestore has none for is refused: %s', async (_, bad) => {
    const refused = database.commit([{ create: 'bad/1', data: { ok: 1, bad } }]);
    await expect(refused).rejects.toThrow(TypeError);
    expect((await admin.doc('bad/1').get()).exists).toBe(false);
  });
});

describe('an update', () => {
  it.each(['plain', 'a.b', 'has space', '`', '\\', 'é', '1st', 'a-b', '*'])(
    'sets and removes a field named %j, and nothing else',
    async (field) => {
      const path = `fields/${encodeURIComponent(field)}`;
      await database.commit([{ set: path, data: { [field]: 1, other: 2, a: { b: 3 } } }]);
      const { version } = await readOne(path);
      const next = await database.commit([{ update: path, data: { [field]: 4 }, at: version }]);
      expect((await readOne(path)).data).toEqual({ [field]: 4, other: 2, a: { b: 3 } });
      await database.commit([{ update: path, data: { [field]: removed }, at: next }]);
      expect((await readOne(path)).data).toEqual({ other: 2, a: { b: 3 } });
    },
  );

  it('at a version that is older by any part of a second is rejected', async () => {
    await database.commit([{ set: 'versions/1', data: { n: 1 } }]);
    const { version } = await readOne('versions/1');
    await admin.doc('versions/1').update({ n: 2 });
    const late = database.commit([{ update: 'versions/1', data: { n: 3 }, at: version }]);
    await expect(late).rejects.toThrow(CommitRejected);
    expect((await readOne('versions/1')).data).toEqual({ n: 2 });
  });
});

it('a page of documents of a megabyte each arrives whole', async () => {
  const text = 'x'.repeat(1_000_000);
  for (let i = 0; i < 6; i += 1) await admin.doc(`large/${i}`).set({ i, text });
  const { documents } = await database.page({ collection: 'large', orderBy: [['i', 'asc']], limit: 6 });
  expect(documents.map(({ data }) => data.i)).toEqual([0, 1, 2, 3, 4, 5]);
});

it('the same document asked for twice is there twice', async () => {
  await database.commit([{ set: 'twice/1', data: { n: 1 } }]);
  const { documents } = await database.read(['twice/1', 'twice/none', 'twice/1']);
  expect(documents.map((document) => document?.data)).toEqual([{ n: 1 }, undefined, { n: 1 }]);
});

describe('a call that fails', () => {
  const unavailable = 14;
  const read = (on: Database) => on.read(['a/b']);
  const commit = (on: Database) => on.commit([{ set: 'a/b', data: {} }]);
  const page = (on: Database) => on.page({ collection: 'a', orderBy: [['n', 'asc']], limit: 1 });
  const totals = (on: Database) => on.totals('a/b', [{ collection: 'a', field: 'n' }]);

  it.each([
    ['a read', read],
    ['a commit', commit],
    ['a page', page],
    ['totals', totals],
  ])('is sent once, and says why: %s', async (_, ask) => {
    const server = await startGrpcServer({ status: unavailable });
    const failing = databaseAt(server.host);
    await expect(ask(failing)).rejects.toMatchObject({ code: unavailable });
    expect(server.calls()).toBe(1);
    await failing.close();
    server.close();
  });

  it('because of a precondition is a rejection, whatever details come with it', async () => {
    const aborted = 10;
    const field = (n: number, bytes: Buffer) => Buffer.from([(n << 3) | 2, bytes.length, ...bytes]);
    const errorInfo = field(1, Buffer.from('LOCKED'));
    const type = Buffer.from('type.googleapis.com/google.rpc.ErrorInfo');
    const details = field(3, Buffer.concat([field(1, type), field(2, errorInfo)]));
    const statusDetails = Buffer.concat([Buffer.from([8, aborted]), details]);
    const server = await startGrpcServer({ status: aborted, details: statusDetails });
    const failing = databaseAt(server.host);
    await expect(commit(failing)).rejects.toMatchObject({
      name: 'CommitRejected',
      cause: { code: aborted, reason: 'LOCKED' },
    });
    await failing.close();
    server.close();
  });

  it.each([
    ['a read', read],
    ['a page', page],
    ['totals', totals],
  ])('to tell what it was asked for is no answer: %s', async (_, ask) => {
    const server = await startGrpcServer({});
    const silent = databaseAt(server.host);
    await expect(ask(silent)).rejects.toMatchObject({ code: 13 });
    await silent.close();
    server.close();
  });

  it('to tell of one document of two is no answer', async () => {
    const name = `projects/${projectId}/databases/(default)/documents/a/b`;
    // BatchGetDocumentsResponse: `missing` is its second field, `read_time` the fourth.
    const one = Buffer.concat([Buffer.from([0x12, name.length]), Buffer.from(name), Buffer.from([0x22, 0])]);
    const server = await startGrpcServer({ message: () => one });
    const half = databaseAt(server.host);
    expect((await half.read(['a/b'])).documents).toEqual([undefined]);
    await expect(half.read(['a/b', 'a/c'])).rejects.toMatchObject({ code: 13 });
    await half.close();
    server.close();
  });

  it('because nobody is there says so', async () => {
    const server = await startGrpcServer({ status: unavailable });
    server.close();
    const away = databaseAt(server.host);
    await expect(read(away)).rejects.toMatchObject({ code: unavailable });
    await away.close();
  });
});

describe('a connection', () => {
  it('that has gone dead without a word costs one call, and is replaced', async () => {
    const way = await startFreezingProxy(inject('firestoreHost'));
    const behind = databaseAt(way.host, { callMs: 1_000, connectMs: 5_000 });
    await behind.read(['a/b']);
    way.freeze();
    await expect(behind.read(['a/b'])).rejects.toSatisfy(
      // Whichever clock is first: ours, or that of the library.
      (error) => error instanceof DeadlinePassed || (error as { code?: number }).code === 4,
    );
    const { documents } = await behind.read(['a/b', 'a/c']);
    expect(documents).toHaveLength(2);
    expect(way.connections()).toBe(2);
    await behind.close();
    way.close();
  });

  it('that is refused is tried again soon, and not later each time', async () => {
    let tries = 0;
    const refusing = net.createServer((socket) => {
      tries += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    const away = databaseAt(`127.0.0.1:${(refusing.address() as AddressInfo).port}`);
    // By itself the library would have come to the sixth after 15 s.
    await expect
      .poll(() => away.read(['a/b']).catch(() => tries), { timeout: 6_000 })
      .toBeGreaterThanOrEqual(6);
    await away.close();
    refusing.close();
  });
});

/** Data as the admin's client reads it, with Dates for its Timestamps. */
function datesIn(value: unknown): unknown {
  if (value instanceof Timestamp) return value.toDate();
  if (Array.isArray(value)) return value.map(datesIn);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value as Data).map(([name, inner]) => [name, datesIn(inner)]));
}
