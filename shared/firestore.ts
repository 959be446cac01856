/** The database on Firestore: the only place that imports its SDK. */
import {
  AggregateField,
  FieldValue,
  Firestore,
  type Query,
  type QueryDocumentSnapshot,
  Timestamp,
  type Transaction,
  type WriteBatch,
} from '@google-cloud/firestore';
import type { Config } from './config.ts';
import {
  CommitRejected,
  type Data,
  type Database,
  type PageRequest,
  removed,
  type StoredDocument,
  type Total,
  type TotalRequest,
  type Write,
} from './database.ts';
import { withDeadline } from './deadline.ts';

/** Longest wait for one read or commit, milliseconds; the client library by itself would retry for ten minutes. */
const operationMsMax = 10_000;

// google.rpc codes of a commit whose precondition failed: NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, ABORTED.
const rejectedCodes = new Set([5, 6, 9, 10]);

/** The database of a configuration. Connects at its first use. */
export function openDatabase(config: Config): Database {
  const firestore = new Firestore({
    projectId: config.projectId,
    databaseId: config.databaseId,
    ignoreUndefinedProperties: true,
  });
  const bounded = <T>(work: Promise<T>, what: string) => withDeadline(work, operationMsMax, what);

  return {
    async read(paths) {
      const snapshots = await bounded(
        firestore.getAll(...paths.map((path) => firestore.doc(path))),
        'Firestore read',
      );
      const documents = snapshots.map((snapshot) =>
        snapshot.exists ? storedDocument(snapshot as QueryDocumentSnapshot) : undefined,
      );
      return { documents, readTime: latest(snapshots.map((snapshot) => snapshot.readTime)) };
    },

    async commit(writes) {
      const batch = firestore.batch();
      for (const write of writes) addWrite(firestore, batch, write);
      try {
        const results = await bounded(batch.commit(), 'Firestore commit');
        const version = results[0]?.writeTime;
        if (!version) throw new Error('Firestore committed nothing');
        return version;
      } catch (error) {
        if (rejectedCodes.has((error as { code?: number }).code ?? -1)) {
          throw new CommitRejected('A precondition of the commit failed', { cause: error });
        }
        throw error;
      }
    },

    async page(request) {
      const snapshot = await bounded(pageQuery(firestore, request).get(), 'Firestore query');
      return { documents: snapshot.docs.map(storedDocument), readTime: snapshot.readTime.toDate() };
    },

    async totals(path, requests) {
      const work = firestore.runTransaction(
        async (transaction) => {
          const snapshot = await transaction.get(firestore.doc(path));
          const totals = await Promise.all(requests.map((request) => total(firestore, transaction, request)));
          const document = snapshot.exists ? storedDocument(snapshot as QueryDocumentSnapshot) : undefined;
          return { document, totals };
        },
        { readOnly: true },
      );
      return bounded(work, 'Firestore totals');
    },

    close: () => firestore.terminate(),
  };
}

function addWrite(firestore: Firestore, batch: WriteBatch, write: Write): void {
  if ('create' in write) batch.create(firestore.doc(write.create), write.data);
  else if ('set' in write) batch.set(firestore.doc(write.set), write.data);
  else if ('delete' in write) batch.delete(firestore.doc(write.delete));
  else {
    const fields = Object.entries(write.data).map(([field, value]) => [
      field,
      value === removed ? FieldValue.delete() : value,
    ]);
    batch.update(firestore.doc(write.update), Object.fromEntries(fields), {
      lastUpdateTime: write.at as unknown as Timestamp,
    });
  }
}

async function total(firestore: Firestore, transaction: Transaction, request: TotalRequest): Promise<Total> {
  const { collection, group, where = [], field } = request;
  let query: Query = group ? firestore.collectionGroup(collection) : firestore.collection(collection);
  for (const [name, op, value] of where) query = query.where(name, op, value);
  const aggregate = query.aggregate({ sum: AggregateField.sum(field), count: AggregateField.count() });
  return (await transaction.get(aggregate)).data();
}

function pageQuery(firestore: Firestore, request: PageRequest): Query {
  const { collection, group, where = [], orderBy, after, limit } = request;
  let query: Query = group ? firestore.collectionGroup(collection) : firestore.collection(collection);
  for (const [field, op, value] of where) query = query.where(field, op, value);
  for (const [field, direction] of orderBy) query = query.orderBy(field, direction);
  if (after) query = query.startAfter(...after);
  return query.limit(limit);
}

function storedDocument(snapshot: QueryDocumentSnapshot): StoredDocument {
  return {
    path: snapshot.ref.path,
    id: snapshot.id,
    data: plain(snapshot.data()) as Data,
    version: snapshot.updateTime,
  };
}

/** Timestamps as Dates, all the way down. */
function plain(value: unknown): unknown {
  if (value instanceof Timestamp) return value.toDate();
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  }
  return value;
}

function latest(times: Timestamp[]): Date {
  return new Date(Math.max(...times.map((time) => time.toMillis())));
}
