/**
 * The database in memory, with Firestore's refusals, so that thousands of histories run in seconds.
 * Its own test compares it with the emulator. Everything happens at once and at the caller's moment: what
 * comes late, or not at all, is put in between by whoever passes the calls on.
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
import { pageOf, totalOf } from './memoryQuery.ts';

/** What one commit made of one document. What is in it is never changed afterwards, and must not be. */
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
  /** Is told of every commit, right after it. */
  watch(listener: (changes: DocumentChange[]) => void): void;
};

type Stored = { data: Data; version: MemoryVersion };
type MemoryVersion = { microseconds: number; isEqual: (other: never) => boolean };

/** An empty store whose time is `now`, in milliseconds since 1970. */
export function createMemoryStore(now: () => number): MemoryStore {
  const collections = new Map<string, Map<string, Stored>>();
  const listeners: ((changes: DocumentChange[]) => void)[] = [];
  let lastMicroseconds = 0;

  const find = (path: string) => collections.get(parentOf(path))?.get(path);
  const shown = (path: string, { data, version }: Stored): StoredDocument => ({
    path,
    id: path.slice(path.lastIndexOf('/') + 1),
    data: copy(data) as Data,
    version,
  });
  function documentsOf({ collection, group }: { collection: string; group?: boolean }): StoredDocument[] {
    const names = group
      ? [...collections.keys()].filter((name) => name === collection || name.endsWith(`/${collection}`))
      : [collection];
    return names.flatMap((name) => [...(collections.get(name) ?? [])].map(([path, one]) => shown(path, one)));
  }
  const readTime = () => new Date(Math.floor(Math.max(now(), lastMicroseconds / 1000)));

  function read(paths: readonly string[]) {
    const documents = paths.map((path) => {
      const stored = find(path);
      return stored && shown(path, stored);
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
      const version = versionOf(microseconds);
      const results = new Map<string, Stored | undefined>();
      for (const write of writes) {
        const path = pathOf(write);
        if (results.has(path)) throw new Error(`One commit writes ${path} twice`);
        results.set(path, resultOf(timed(write, now()), find(path), version));
      }
      lastMicroseconds = microseconds;
      const changes = [...results].map(([path, after]) => ({
        path,
        before: find(path)?.data,
        after: after?.data,
      }));
      for (const [path, after] of results) put(collections, path, after);
      for (const listener of listeners) listener(changes);
      return results.get(pathOf(writes[0] as Write))?.version ?? version;
    },

    page(request) {
      return { documents: pageOf(documentsOf(request), request), readTime: readTime() };
    },

    totals(path, requests) {
      const [document] = path === undefined ? [] : read([path]).documents;
      return { document, totals: requests.map((request) => totalOf(documentsOf(request), request)) };
    },

    watch: (listener) => void listeners.push(listener),
  };
}

/** The database on a store, as the ledger wants it. */
export function memoryDatabase(store: MemoryStore): Database {
  return {
    read: async (paths) => store.read(paths),
    commit: async (writes) => store.commit(writes),
    page: async (request) => store.page(request),
    totals: async (path, requests) => store.totals(path, requests),
    close: async () => {},
  };
}

/** The write with the database's time in place of `serverTime`. */
function timed(write: Write, now: number): Write {
  if ('delete' in write) return write;
  const fields = Object.entries(write.data).map(([name, value]) => [
    name,
    value === serverTime ? new Date(Math.floor(now)) : value,
  ]);
  return { ...write, data: Object.fromEntries(fields) };
}

/** What a write leaves of a document; undefined where it deletes it. One that changes nothing leaves the version too. */
function resultOf(write: Write, before: Stored | undefined, version: MemoryVersion): Stored | undefined {
  if ('delete' in write) return undefined;
  let data: Data;
  if ('create' in write) {
    if (before) throw new CommitRejected(`${write.create} exists`);
    data = fieldsOf(write.data);
  } else if ('set' in write) {
    data = fieldsOf(write.data);
  } else {
    if (!before) throw new CommitRejected(`${write.update} does not exist`);
    if (!before.version.isEqual(write.at as never)) throw new CommitRejected(`${write.update} has changed`);
    const merged = { ...before.data, ...fieldsOf(write.data, true) };
    data = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== (removed as unknown)));
  }
  return before && isSame(before.data, data) ? { data, version: before.version } : { data, version };
}

function put(collections: Map<string, Map<string, Stored>>, path: string, stored: Stored | undefined): void {
  const parent = parentOf(path);
  const documents = collections.get(parent) ?? new Map<string, Stored>();
  collections.set(parent, documents);
  if (stored) documents.set(path, stored);
  else documents.delete(path);
}

function pathOf(write: Write): string {
  if ('create' in write) return write.create;
  if ('set' in write) return write.set;
  return 'update' in write ? write.update : write.delete;
}

function parentOf(path: string): string {
  const segments = path.split('/');
  if (segments.length % 2 !== 0 || segments.some((segment) => segment === '')) {
    throw new Error(`${path} is not the path of a document`);
  }
  return segments.slice(0, -1).join('/');
}

function versionOf(microseconds: number): MemoryVersion {
  return { microseconds, isEqual: (other: MemoryVersion) => other.microseconds === microseconds };
}

/** A deep copy of a write's fields, without those that are undefined. */
function fieldsOf(data: Data, mayRemove = false): Data {
  const fields = Object.entries(data).filter(([, value]) => value !== undefined);
  if (fields.some(([name]) => name.includes('.'))) throw new Error('A dot in the name of a field');
  return Object.fromEntries(
    fields.map(([name, value]) => [name, mayRemove && value === (removed as unknown) ? value : copy(value)]),
  );
}

/** A deep copy of plain data. What Firestore would not store is refused. */
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

/** Whether two values of Firestore are the same. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return Object.is(a, b);
  if (a instanceof Date || b instanceof Date) return a instanceof Date && b instanceof Date && +a === +b;
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return left.length === right.length && left.every(([name, value]) => isSame(value, (b as Data)[name]));
}
