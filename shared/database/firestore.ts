/**
 * The database port on Firestore's API. It uses Google's generated client: the `Firestore` class adds a timer and four
 * streams to each read (3 of 4 ms) and repeats a commit of unknown outcome, where `retryCommit` reads again instead.
 * Nothing is retried here.
 */
import {
  CommitRejected,
  type Database,
  type Filter,
  type PageRequest,
  removed,
  type StoredDocument,
  serverTime,
  type Total,
  type TotalRequest,
  type Version,
  type Write,
} from './database.ts';
import { callLimitsDefault, createCaller, type FirestoreOptions, getErrorCode } from './firestoreClient.ts';
import {
  type ApiDocument,
  decodeFields,
  decodeTime,
  encodeFields,
  encodeValue,
  type Fields,
  type Timestamp,
  type Value,
} from './firestoreValues.ts';

/** google.rpc's INTERNAL. */
const internal = 13;
// google.rpc codes of a commit whose precondition failed: NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, ABORTED.
const rejectedCodes = new Set([5, 6, 9, 10]);

// As query.proto names them.
const operators = {
  '<': 'LESS_THAN',
  '<=': 'LESS_THAN_OR_EQUAL',
  '>': 'GREATER_THAN',
  '>=': 'GREATER_THAN_OR_EQUAL',
  '==': 'EQUAL',
  in: 'IN',
  'array-contains': 'ARRAY_CONTAINS',
} as const;
const directions = { asc: 'ASCENDING', desc: 'DESCENDING' } as const;

/** Connects at its first use. */
export function createDatabase(config: FirestoreOptions, limits = callLimitsDefault): Database {
  const database = `projects/${config.projectId}/databases/${config.databaseId}`;
  const root = `${database}/documents`;
  const { unary, streamed, close } = createCaller(config, database, limits);

  async function read(paths: readonly string[], more: object = {}) {
    const documents = [...new Set(paths)].map((path) => `${root}/${path}`);
    const request = { database, documents, ...more };
    const answers = await streamed<BatchGetAnswer>((client, options) =>
      client.batchGetDocuments(request, options),
    );
    const found = new Map(answers.map(({ found, missing }) => [found?.name ?? missing, found]));
    // A document wrongly taken as missing would be created again, or refunded.
    if (!documents.every((name) => found.has(name))) throw unanswered('a document');
    return {
      documents: paths.map((path) => storedDocument(found.get(`${root}/${path}`), root)),
      readTime: latest(answers),
      transaction: answers.find(({ transaction }) => transaction?.length)?.transaction,
    };
  }

  async function total(request: TotalRequest, transaction: Uint8Array | undefined): Promise<Total> {
    const { parent, ...structuredQuery } = selection(request, root);
    const aggregations = [
      { alias: 'sum', sum: { field: named(request.field) } },
      { alias: 'count', count: {} },
    ];
    const structuredAggregationQuery = { structuredQuery, aggregations };
    const answers = await streamed<AggregationAnswer>(
      (client, options) =>
        client.runAggregationQuery({ parent, structuredAggregationQuery, transaction } as object, options),
      request.timeoutMs,
    );
    const fields = answers.find(({ result }) => result)?.result?.aggregateFields;
    if (!fields) throw unanswered('a sum');
    const { sum, count } = decodeFields(fields);
    return { sum: Number(sum), count: Number(count) };
  }

  return {
    async read(paths) {
      const { documents, readTime } = await read(paths);
      return { documents, readTime };
    },

    async commit(writes) {
      const request = { database, writes: writes.map((write) => apiWrite(write, root)) };
      try {
        const answer = await unary<CommitAnswer>((client, options) => client.commit(request, options));
        // A deletion has no update time.
        const writtenAt = answer.writeResults[0]?.updateTime ?? answer.commitTime;
        if (!writtenAt) throw new Error('Firestore committed nothing');
        return toVersion(writtenAt);
      } catch (error) {
        if (rejectedCodes.has(getErrorCode(error))) {
          throw new CommitRejected('A precondition of the commit failed', { cause: error });
        }
        throw error;
      }
    },

    async page(request) {
      const { parent, ...selected } = selection(request, root);
      const orderBy = request.orderBy.map(([field, direction]) => ({
        field: named(field),
        direction: directions[direction],
      }));
      const startAt = request.after && {
        startAt: { values: cursor(request, request.after, root), before: false },
      };
      const structuredQuery = { ...selected, orderBy, ...startAt, limit: { value: request.limit } };
      const answers = await streamed<QueryAnswer>(
        (client, options) => client.runQuery({ parent, structuredQuery } as object, options),
        request.timeoutMs,
      );
      return {
        documents: answers.flatMap(({ document }) => storedDocument(document, root) ?? []),
        readTime: latest(answers),
      };
    },

    async totals(path, requests) {
      const { documents, transaction } = await read([path], { newTransaction: { readOnly: {} } });
      try {
        const totals = await Promise.all(requests.map((request) => total(request, transaction)));
        return { document: documents[0], totals };
      } finally {
        // Frees the transaction at once. If that fails, it expires.
        const request = { database, ...(transaction && { transaction }) };
        await unary((client, options) => client.rollback(request, options)).catch(() => {});
      }
    },

    close,
  };
}

type BatchGetAnswer = {
  found?: ApiDocument;
  /** Its name. */
  missing?: string;
  transaction?: Uint8Array;
  readTime?: Timestamp | null;
};
type QueryAnswer = { document?: ApiDocument | null; readTime?: Timestamp | null };
type AggregationAnswer = { result?: { aggregateFields: Fields } | null };
type CommitAnswer = { writeResults: { updateTime?: Timestamp | null }[]; commitTime?: Timestamp | null };

/** The call succeeded, but its answer lacks what was requested. */
const unanswered = (what: string) =>
  Object.assign(new Error(`Firestore did not answer for ${what}`), { code: internal });

function apiWrite(write: Write, root: string): object {
  if ('delete' in write) return { delete: `${root}/${write.delete}` };
  const given = Object.entries(write.data).filter(([, value]) => value !== undefined);
  const isSentinel = (value: unknown) => value === removed || value === serverTime;
  const fields = encodeFields(Object.fromEntries(given.filter(([, value]) => !isSentinel(value))));
  const timed = given.filter(([, value]) => value === serverTime).map(([field]) => field);
  const transforms = timed.length > 0 && {
    updateTransforms: timed.map((field) => ({ fieldPath: quoted(field), setToServerValue: 'REQUEST_TIME' })),
  };
  const document = (path: string) => ({ update: { name: `${root}/${path}`, fields }, ...transforms });
  if ('create' in write) return { ...document(write.create), currentDocument: { exists: false } };
  if ('set' in write) return document(write.set);
  if (Object.keys(write.data).length === 0) throw new Error(`An update of no field of ${write.update}`);
  const masked = given.filter(([, value]) => value !== serverTime).map(([field]) => quoted(field));
  return {
    ...document(write.update),
    // Fields that the mask names and the document lacks are removed.
    updateMask: { fieldPaths: masked },
    currentDocument: { updateTime: write.at },
  };
}

/** The parent, collection and filters of a query. */
function selection(
  { collection, group, where = [] }: Pick<PageRequest, 'collection' | 'group' | 'where'>,
  root: string,
) {
  const cut = collection.lastIndexOf('/');
  const filters = where.map(filter);
  const all = filters.length > 1 ? { compositeFilter: { op: 'AND', filters } } : filters[0];
  return {
    parent: cut < 0 ? root : `${root}/${collection.slice(0, cut)}`,
    from: [{ collectionId: collection.slice(cut + 1), allDescendants: group === true }],
    ...(all && { where: all }),
  };
}

function filter([field, op, value]: Filter): object {
  if (op === '==' && value === null) return { unaryFilter: { op: 'IS_NULL', field: named(field) } };
  return { fieldFilter: { field: named(field), op: operators[op], value: encodeValue(value) } };
}

/** The values after which a page begins. The value for `__name__` becomes a reference to that document. */
function cursor(
  { orderBy, collection, group }: PageRequest,
  after: readonly unknown[],
  root: string,
): Value[] {
  const names = group ? root : `${root}/${collection}`;
  return after.map((value, i) =>
    orderBy[i]?.[0] === '__name__' ? { referenceValue: `${names}/${value}` } : encodeValue(value),
  );
}

/** A field path of a query: dots separate map keys; `__name__` is the document's name. */
const named = (field: string) => ({ fieldPath: field.split('.').map(quoted).join('.') });

const quoted = (step: string) =>
  /^[A-Za-z_]\w*$/.test(step) ? step : `\`${step.replace(/[\\`]/g, '\\$&')}\``;

function storedDocument(document: ApiDocument | undefined | null, root: string): StoredDocument | undefined {
  if (!document) return undefined;
  const path = document.name.slice(root.length + 1);
  return {
    path,
    id: path.slice(path.lastIndexOf('/') + 1),
    data: decodeFields(document.fields),
    version: toVersion(document.updateTime),
  };
}

/** A version keeps Firestore's timestamp as received, to the nanosecond. */
function toVersion({ seconds, nanos }: Timestamp): Version {
  const isEqual = (other: Timestamp) => other.seconds === seconds && other.nanos === nanos;
  return Object.assign({ seconds, nanos }, { isEqual });
}

function latest(answers: { readTime?: Timestamp | null }[]): Date {
  const times = answers.flatMap(({ readTime }) => (readTime ? [decodeTime(readTime).getTime()] : []));
  if (times.length === 0) throw unanswered('the time');
  return new Date(Math.max(...times));
}
