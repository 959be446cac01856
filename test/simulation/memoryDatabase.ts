/**
 * A database in memory with Firestore's refusals, so that thousands of histories run in seconds. Its test
 * compares it with the emulator. Every call takes effect at once; faults.ts adds delays and faults.
 */
import {
  CommitRejected,
  type Data,
  type Database,
  type PageRequest,
  removed,
  type StoredDocument,
  serverTime,
  type Total,
  type TotalRequest,
  type Version,
  type Write,
} from '../../shared/database/database.ts';
import { queryPage, queryTotal } from './memoryQuery.ts';

/** One document before and after a commit. The data must not be changed. */
export type DocumentChange = { path: string; before: Data | undefined; after: Data | undefined };

export type MemoryStore = {
  read(paths: readonly string[]): { documents: (StoredDocument | undefined)[]; readTime: Date };
  /** @throws {CommitRejected} */
  commit(writes: readonly Write[]): Version;
  page(request: PageRequest): { documents: StoredDocument[]; readTime: Date };
  totals(
    path: string | undefined,
    requests: readonly TotalRequest[],
  ): { document: StoredDocument | undefined; totals: Total[] };
  /** Calls `listener` right after every commit. */
  watch(listener: (changes: DocumentChange[]) => void): void;
};

type Stored = { data: Data; version: MemoryVersion };
type MemoryVersion = { microseconds: number; isEqual: (other: never) => boolean };

/** An empty store. `now` is its clock, milliseconds since 1970. */
export function createMemoryStore(now: () => number): MemoryStore {
  const collections = new Map<string, Map<string, Stored>>();
  const listeners: ((changes: DocumentChange[]) => void)[] = [];
  let lastMicroseconds = 0;

  const find = (path: string) => collections.get(getParent(path))?.get(path);
  const toDocument = (path: string, { data, version }: Stored): StoredDocument => ({
    path,
    id: path.slice(path.lastIndexOf('/') + 1),
    data: copy(data) as Data,
    version,
  });
  function findDocuments({ collection, group }: { collection: string; group?: boolean }): StoredDocument[] {
    const names = group
      ? [...collections.keys()].filter((name) => name === collection || name.endsWith(`/${collection}`))
      : [collection];
    return names.flatMap((name) =>
      [...(collections.get(name) ?? [])].map(([path, one]) => toDocument(path, one)),
    );
  }
  const readTime = () => new Date(Math.floor(Math.max(now(), lastMicroseconds / 1000)));

  function read(paths: readonly string[]) {
    const documents = paths.map((path) => {
      const stored = find(path);
      return stored && toDocument(path, stored);
    });
    return { documents, readTime: readTime() };
  }

  return {
    read,

    commit(writes) {
      if (writes.length === 0) throw new Error('Firestore committed nothing');
      if (writes.some((write) => 'update' in write && Object.keys(write.data).length === 0)) {
        throw new Error('An update of no field');
      }
      const microseconds = Math.max(now() * 1000, lastMicroseconds + 1);
      const version = createVersion(microseconds);
      const results = new Map<string, Stored | undefined>();
      for (const write of writes) {
        const path = getPath(write);
        if (results.has(path)) throw new Error(`One commit writes ${path} twice`);
        results.set(path, applyWrite(applyServerTime(write, now()), find(path), version));
      }
      lastMicroseconds = microseconds;
      const changes = [...results].map(([path, after]) => ({
        path,
        before: find(path)?.data,
        after: after?.data,
      }));
      for (const [path, after] of results) put(collections, path, after);
      for (const listener of listeners) listener(changes);
      return results.get(getPath(writes[0] as Write))?.version ?? version;
    },

    page(request) {
      return { documents: queryPage(findDocuments(request), request), readTime: readTime() };
    },

    totals(path, requests) {
      const [document] = path === undefined ? [] : read([path]).documents;
      return { document, totals: requests.map((request) => queryTotal(findDocuments(request), request)) };
    },

    watch: (listener) => void listeners.push(listener),
  };
}

/** The port that the ledger uses, on a store. */
export function createMemoryDatabase(store: MemoryStore): Database {
  return {
    read: async (paths) => store.read(paths),
    commit: async (writes) => store.commit(writes),
    page: async (request) => store.page(request),
    totals: async (path, requests) => store.totals(path, requests),
    close: async () => {},
  };
}

/** The write with the database's time in place of `serverTime`. */
function applyServerTime(write: Write, now: number): Write {
  if ('delete' in write) return write;
  const fields = Object.entries(write.data).map(([name, value]) => [
    name,
    value === serverTime ? new Date(Math.floor(now)) : value,
  ]);
  return { ...write, data: Object.fromEntries(fields) };
}

/** The document after a write; undefined if it is deleted. A write that changes nothing keeps the version. */
function applyWrite(write: Write, before: Stored | undefined, version: MemoryVersion): Stored | undefined {
  if ('delete' in write) return undefined;
  let data: Data;
  if ('create' in write) {
    if (before) throw new CommitRejected(`${write.create} exists`);
    data = copyFields(write.data);
  } else if ('set' in write) {
    data = copyFields(write.data);
  } else {
    if (!before) throw new CommitRejected(`${write.update} does not exist`);
    if (!before.version.isEqual(write.at as never)) throw new CommitRejected(`${write.update} has changed`);
    const merged = { ...before.data, ...copyFields(write.data, true) };
    data = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== (removed as unknown)));
  }
  return before && isSame(before.data, data) ? { data, version: before.version } : { data, version };
}

function put(collections: Map<string, Map<string, Stored>>, path: string, stored: Stored | undefined): void {
  const parent = getParent(path);
  const documents = collections.get(parent) ?? new Map<string, Stored>();
  collections.set(parent, documents);
  if (stored) documents.set(path, stored);
  else documents.delete(path);
}

function getPath(write: Write): string {
  if ('create' in write) return write.create;
  if ('set' in write) return write.set;
  return 'update' in write ? write.update : write.delete;
}

function getParent(path: string): string {
  const segments = path.split('/');
  if (segments.length % 2 !== 0 || segments.some((segment) => segment === '')) {
    throw new Error(`${path} is not the path of a document`);
  }
  return segments.slice(0, -1).join('/');
}

function createVersion(microseconds: number): MemoryVersion {
  return { microseconds, isEqual: (other: MemoryVersion) => other.microseconds === microseconds };
}

/** A deep copy of a write's fields, without those that are undefined. */
function copyFields(data: Data, mayRemove = false): Data {
  const fields = Object.entries(data).filter(([, value]) => value !== undefined);
  if (fields.some(([name]) => name.includes('.'))) throw new Error('A dot in the name of a field');
  return Object.fromEntries(
    fields.map(([name, value]) => [name, mayRemove && value === (removed as unknown) ? value : copy(value)]),
  );
}

/** A deep copy of plain data. @throws {Error} for values that Firestore does not store. */
function copy(value: unknown): unknown {
  if (value === null || typeof value !== 'object') {
    if (typeof value === 'symbol' || typeof value === 'function') throw new Error('Not a value of Firestore');
    return value;
  }
  if (value instanceof Date) return new Date(value);
  if (Array.isArray(value)) return value.map(copy);
  if (Object.getPrototypeOf(value) !== Object.prototype) throw new Error('Not a plain object');
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(fields.map(([name, inner]) => [name, copy(inner)]));
}

/** True if two Firestore values are equal. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return Object.is(a, b);
  if (a instanceof Date || b instanceof Date) return a instanceof Date && b instanceof Date && +a === +b;
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return left.length === right.length && left.every(([name, value]) => isSame(value, (b as Data)[name]));
}
