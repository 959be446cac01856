/**
 * The database port: what the functions ask of Firestore, as plain data. Times are Dates and writes are data too,
 * so the rules that make them stay pure, and a test can put faults in between.
 */

/** The moment a document was last written, to the nanosecond: what a precondition compares. Opaque. */
export type Version = { readonly isEqual: (other: never) => boolean };

export type Data = Record<string, unknown>;
export type StoredDocument = { path: string; id: string; data: Data; version: Version };

/** In an update: removes the field. */
export const removed: unique symbol = Symbol('removed');
/** As the value of a top-level field: the database's own time of the commit. */
export const serverTime: unique symbol = Symbol('server time');

export type Write =
  /** Fails if the document exists. */
  | { create: string; data: Data }
  /** Sets only the named fields, and only on a document last written at `at`. */
  | { update: string; data: Data; at: Version }
  /** Replaces or creates the whole document. */
  | { set: string; data: Data }
  | { delete: string };

declare const shape: unique symbol;
/** The path of a document with fields `T`. Writes through the functions below are checked against `T`. */
export type DocumentPath<T extends object> = string & { readonly [shape]: T };

/** Declares that the document at this path has fields `T`. */
export const documentPath = <T extends object>(path: string): DocumentPath<T> => path as DocumentPath<T>;

type Written<T> = T | (T extends Date ? typeof serverTime : never);
/** All fields of a document, as they are written. */
export type WrittenFields<T> = { [K in keyof T]: Written<T[K]> };
/** Some fields of a document, as an update writes them. */
export type FieldUpdates<T> = { [K in keyof T]?: Written<T[K]> | typeof removed };
/** The fields of `T` as they are read: an admin may have typed anything, or removed them. */
export type Unparsed<T> = { readonly [K in keyof T]?: unknown };

/** A write that fails if the document exists. */
export const createDocument = <T extends object>(
  path: DocumentPath<T>,
  data: NoInfer<WrittenFields<T>>,
): Write => ({ create: path, data: data as Data });

/** A write of some fields, which fails unless the document was last written at `at`. */
export const updateDocument = <T extends object>(
  path: DocumentPath<T>,
  data: NoInfer<FieldUpdates<T>>,
  at: Version,
): Write => ({ update: path, data: data as Data, at });

/** A write that replaces or creates the document. */
export const setDocument = <T extends object>(
  path: DocumentPath<T>,
  data: NoInfer<WrittenFields<T>>,
): Write => ({ set: path, data: data as Data });

export type Filter = readonly [
  field: string,
  op: '==' | '<' | '<=' | '>' | '>=' | 'in' | 'array-contains',
  value: unknown,
];

export type PageRequest = {
  /** A collection's path, or the name of a collection group. */
  collection: string;
  group?: boolean;
  where?: readonly Filter[];
  orderBy: readonly (readonly [field: string, direction: 'asc' | 'desc'])[];
  /** Values of the `orderBy` fields after which the page begins; for `__name__` the id, in a group the path. */
  after?: readonly unknown[];
  limit: number;
  /** The limit of this call, milliseconds, if it may take longer than other calls: see `longQueryMs`. */
  timeoutMs?: number;
};

/** Sums a whole-number field over the documents of a collection, and counts them. */
export type TotalRequest = {
  collection: string;
  group?: boolean;
  where?: readonly Filter[];
  field: string;
  /** As in a page. */
  timeoutMs?: number;
};
export type Total = { sum: number; count: number };

export type Database = {
  /** Reads all documents at one time, `readTime`, by the database's clock. Missing documents are undefined. */
  read(paths: readonly string[]): Promise<{ documents: (StoredDocument | undefined)[]; readTime: Date }>;
  /**
   * Commits all writes or none. All of them share the version that it returns.
   * @throws {CommitRejected} if a precondition failed: this call wrote nothing, but an earlier attempt of the
   * client library may have. Read again to find out. After any other error the outcome is unknown.
   */
  commit(writes: readonly Write[]): Promise<Version>;
  page(request: PageRequest): Promise<{ documents: StoredDocument[]; readTime: Date }>;
  /** A document and sums over collections, all read at one time. */
  totals(
    path: string,
    requests: readonly TotalRequest[],
  ): Promise<{ document: StoredDocument | undefined; totals: Total[] }>;
  close(): Promise<void>;
};

/** The `timeoutMs` of a query over so many documents that it may take longer than other calls. */
export const longQueryMs = 10_000;

/** True if Firestore accepts this as a document id. An admin may have typed anything where an id belongs. */
export const isDocumentId = (id: string) =>
  id !== '' && !id.includes('/') && !/^(\.{1,2}|__.*__)$/s.test(id) && Buffer.byteLength(id) <= 1_500;

/** A precondition of a commit did not hold. */
export class CommitRejected extends Error {
  override name = 'CommitRejected';
}
