/**
 * The database on Firestore, by its gRPC API: a few messages are all that is needed of it. Google's library
 * for it stands on the same API, but loads five times as long and takes three times as long for each call.
 */
import { status } from '@grpc/grpc-js';
import type { Config } from './config.ts';
import {
  CommitRejected,
  type Database,
  type Filter,
  type PageRequest,
  removed,
  type StoredDocument,
  type Total,
  type TotalRequest,
  type Version,
  type Write,
} from './database.ts';
import { batchGet, commit, createCaller, rollback, runAggregation, runQuery } from './firestoreCalls.ts';
import {
  type Document,
  decodeFields,
  decodeTime,
  encodeFields,
  encodeValue,
  type Timestamp,
  type Value,
} from './firestoreMessages.ts';

/** Codes of a commit whose precondition failed. */
const rejectedCodes = new Set<unknown>([
  status.NOT_FOUND,
  status.ALREADY_EXISTS,
  status.FAILED_PRECONDITION,
  status.ABORTED,
]);

// Numbers of the enumerations in query.proto.
const operators = { '<': 1, '<=': 2, '>': 3, '>=': 4, '==': 5, in: 8 } as const;
const directions = { asc: 1, desc: 2 } as const;
const and = 1;
const isNull = 3;

/** The database of a configuration. Connects at its first use. */
export function openDatabase(config: Config): Database {
  const database = `projects/${config.projectId}/databases/${config.databaseId}`;
  const root = `${database}/documents`;
  const { call, close } = createCaller(config);

  async function read(paths: readonly string[], more: object = {}) {
    const documents = [...new Set(paths)].map((path) => `${root}/${path}`);
    const answers = await call(batchGet, { database, documents, ...more });
    const found = new Map(answers.map((answer) => [answer.found?.name, answer.found]));
    return {
      documents: paths.map((path) => storedDocument(found.get(`${root}/${path}`), root)),
      readTime: latest(answers),
      transaction: answers.find(({ transaction }) => transaction.length > 0)?.transaction,
    };
  }

  async function total(request: TotalRequest, transaction: Buffer | undefined): Promise<Total> {
    const { parent, ...structuredQuery } = selection(request, root);
    const aggregations = [
      { alias: 'sum', sum: { field: named(request.field) } },
      { alias: 'count', count: {} },
    ];
    const structuredAggregationQuery = { structuredQuery, aggregations };
    const answers = await call(runAggregation, { parent, structuredAggregationQuery, transaction });
    const { sum, count } = decodeFields(answers.find(({ result }) => result)?.result?.aggregateFields ?? {});
    return { sum: Number(sum), count: Number(count) };
  }

  return {
    async read(paths) {
      const { documents, readTime } = await read(paths);
      return { documents, readTime };
    },

    async commit(writes) {
      try {
        const [answer] = await call(commit, {
          database,
          writes: writes.map((write) => written(write, root)),
        });
        // A deleted document has no time of its own.
        const writtenAt = answer?.writeResults[0]?.updateTime ?? answer?.commitTime;
        if (!writtenAt) throw new Error('Firestore committed nothing');
        return versionOf(writtenAt);
      } catch (error) {
        if (rejectedCodes.has((error as { code?: unknown }).code)) {
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
      const answers = await call(runQuery, { parent, structuredQuery });
      return {
        documents: answers.flatMap(({ document }) => storedDocument(document ?? undefined, root) ?? []),
        readTime: latest(answers),
      };
    },

    async totals(path, requests) {
      const { documents, transaction } = await read([path], { newTransaction: { readOnly: {} } });
      try {
        const totals = await Promise.all(requests.map((request) => total(request, transaction)));
        return { document: documents[0], totals };
      } finally {
        // Frees it at once; where that fails it lapses by itself.
        await call(rollback, { database, transaction }).catch(() => {});
      }
    },

    close,
  };
}

function written(write: Write, root: string): object {
  if ('delete' in write) return { delete: `${root}/${write.delete}` };
  const document = (path: string, data = write.data) => ({
    name: `${root}/${path}`,
    fields: encodeFields(data),
  });
  if ('create' in write) return { update: document(write.create), currentDocument: { exists: false } };
  if ('set' in write) return { update: document(write.set) };
  const fields = Object.entries(write.data);
  const given = fields.filter(([, value]) => value !== undefined);
  if (fields.length === 0) throw new Error(`An update of no field of ${write.update}`);
  const kept = Object.fromEntries(given.filter(([, value]) => value !== removed));
  return {
    update: document(write.update, kept),
    // A field that the mask names and the document has not is removed.
    updateMask: { fieldPaths: given.map(([field]) => quoted(field)) },
    currentDocument: { updateTime: write.at },
  };
}

/** Where a query looks, and for what. */
function selection(
  { collection, group, where = [] }: Pick<PageRequest, 'collection' | 'group' | 'where'>,
  root: string,
) {
  const cut = collection.lastIndexOf('/');
  const filters = where.map(filter);
  return {
    parent: cut < 0 ? root : `${root}/${collection.slice(0, cut)}`,
    from: [{ collectionId: collection.slice(cut + 1), allDescendants: group === true }],
    ...(filters.length > 0 && {
      where: filters.length > 1 ? { compositeFilter: { op: and, filters } } : filters[0],
    }),
  };
}

function filter([field, op, value]: Filter): object {
  if (op === '==' && value === null) return { unaryFilter: { op: isNull, field: named(field) } };
  return { fieldFilter: { field: named(field), op: operators[op], value: encodeValue(value) } };
}

/** The values after which a page begins; an id among them stands for its document. */
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

const named = (field: string) => ({ fieldPath: quoted(field) });

/** A field's name as a path of one step, or of several where it has dots; `__name__` stands for the document's. */
function quoted(field: string): string {
  const steps = field.split('.');
  return steps
    .map((step) => (/^[A-Za-z_]\w*$/.test(step) ? step : `\`${step.replace(/[\\`]/g, '\\$&')}\``))
    .join('.');
}

function storedDocument(document: Document | undefined | null, root: string): StoredDocument | undefined {
  if (!document) return undefined;
  const path = document.name.slice(root.length + 1);
  return {
    path,
    id: path.slice(path.lastIndexOf('/') + 1),
    data: decodeFields(document.fields),
    version: versionOf(document.updateTime),
  };
}

/** A time to the nanosecond, which goes back to the database as it came. */
function versionOf({ seconds, nanos = 0 }: Timestamp): Version {
  const version = { seconds, nanos };
  const isEqual = (other: Timestamp) => Number(other.seconds) === Number(seconds) && other.nanos === nanos;
  return Object.assign(version, { isEqual });
}

function latest(answers: { readTime?: Timestamp | null }[]): Date {
  const times = answers.flatMap(({ readTime }) => (readTime ? [decodeTime(readTime).getTime()] : []));
  return new Date(Math.max(...times));
}
