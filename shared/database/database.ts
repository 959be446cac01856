/**
 * What the ledger asks of its database: read some documents at one time, commit some writes at once
 * under preconditions, read one page of a query. Documents are plain data (times are Dates) and writes
 * are data too, so the rules that make them stay pure, and a test can put faults in between.
 */

/** The moment a document was last written, to the nanosecond: what a precondition compares. Opaque. */
export type Version = { readonly isEqual: (other: never) => boolean };

export type Data = Record<string, unknown>;
export type StoredDocument = { path: string; id: string; data: Data; version: Version };

/** In an update: removes the field. */
export const removed: unique symbol = Symbol('removed');

export type Write =
  /** Fails where the document exists. */
  | { create: string; data: Data }
  /** Sets only the fields named, and only on a document last written at `at`. */
  | { update: string; data: Data; at: Version }
  /** Writes the whole document, whatever is there. */
  | { set: string; data: Data }
  | { delete: string };

export type Filter = readonly [field: string, op: '==' | '<' | '<=' | '>' | '>=' | 'in', value: unknown];

export type PageRequest = {
  /** A collection's path, or the name of a collection group. */
  collection: string;
  group?: boolean;
  where?: readonly Filter[];
  orderBy: readonly (readonly [field: string, direction: 'asc' | 'desc'])[];
  /** Values of the `orderBy` fields after which the page begins; for `__name__` the id, in a group the path. */
  after?: readonly unknown[];
  limit: number;
};

/** The sum of a whole-number field over the documents of a collection, and how many they are. */
export type TotalRequest = { collection: string; group?: boolean; where?: readonly Filter[]; field: string };
export type Total = { sum: number; count: number };

export type Database = {
  /** All at one time, which is `readTime` by the database's clock. Missing documents are undefined. */
  read(paths: readonly string[]): Promise<{ documents: (StoredDocument | undefined)[]; readTime: Date }>;
  /**
   * All or nothing. All writes of one commit share the version that it returns.
   * @throws {CommitRejected} when a precondition failed: nothing was written by this call, though an
   * earlier try of the client library's own may have been: read again and see.
   * Whatever else it throws leaves the outcome unknown.
   */
  commit(writes: readonly Write[]): Promise<Version>;
  page(request: PageRequest): Promise<{ documents: StoredDocument[]; readTime: Date }>;
  /** A document and sums over collections, all at one time however much is written meanwhile. */
  totals(
    path: string,
    requests: readonly TotalRequest[],
  ): Promise<{ document: StoredDocument | undefined; totals: Total[] }>;
  close(): Promise<void>;
};

/** Whether a document can have this id. An admin may have typed anything where one of ours is kept. */
export const isDocumentId = (id: string) =>
  id !== '' && !id.includes('/') && !/^(\.{1,2}|__.*__)$/s.test(id) && Buffer.byteLength(id) <= 1_500;

/** A precondition did not hold. */
export class CommitRejected extends Error {
  override name = 'CommitRejected';
}
