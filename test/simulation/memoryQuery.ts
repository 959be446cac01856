/** Queries with Firestore's semantics over documents in memory: filters, order, cursors, sums. */
import type {
  Data,
  Filter,
  PageRequest,
  StoredDocument,
  Total,
  TotalRequest,
} from '../../shared/database/database.ts';

/** The documents of one page of a query. `documents` is the whole collection. */
export function queryPage(documents: StoredDocument[], request: PageRequest): StoredDocument[] {
  const { where = [], after, limit } = request;
  const order = completeOrder(request);
  if (limit < 1) throw new Error('A page has at least one document');
  if (after && after.length > request.orderBy.length) throw new Error('Too many cursor values specified');
  const cursor = after?.map((value, i) => toCursorValue(value, order[i]?.[0], request));
  const isAfter = (document: StoredDocument) =>
    !cursor || compareBy(order, (field, i) => [getField(document, field), cursor[i]], cursor.length) > 0;
  return documents
    .filter((document) => matches(document, where))
    .filter((document) => order.every(([field]) => getField(document, field) !== undefined))
    .filter(isAfter)
    .sort((a, b) => compareBy(order, (field) => [getField(a, field), getField(b, field)], order.length))
    .slice(0, limit);
}

/**
 * The sum of a field's numbers over the documents that a query matches, and how many they are: a document
 * without the field is not among them, because the sum and the count are asked for together.
 */
export function queryTotal(documents: StoredDocument[], { where = [], field }: TotalRequest): Total {
  const values = documents
    .filter((document) => matches(document, where))
    .map((document) => getField(document, field))
    .filter((value) => value !== undefined);
  const numbers = values.filter((value) => typeof value === 'number');
  return { sum: numbers.reduce((sum, value) => sum + value, 0), count: values.length };
}

type Order = readonly (readonly [field: string, direction: 'asc' | 'desc'])[];

/** Firestore extends an order by the fields of inequalities and by the name, in the last direction. */
function completeOrder({ orderBy, where = [] }: PageRequest): Order {
  const direction = orderBy.at(-1)?.[1] ?? 'asc';
  const named = (field: string) => orderBy.some(([name]) => name === field);
  const unequal = new Set(where.filter(([, op]) => op.includes('<') || op.includes('>')).map(([f]) => f));
  if (named('__name__') && [...unequal].some((field) => !named(field))) {
    throw new Error('The order by clause cannot contain more fields after the key');
  }
  const implied = [...unequal, '__name__'].filter((field) => !named(field));
  return [...orderBy, ...implied.map((field) => [field, direction] as const)];
}

/** The name in a cursor is an id in a collection and a whole path in a collection group, as the client library demands. */
function toCursorValue(value: unknown, field: string | undefined, request: PageRequest): unknown {
  if (field !== '__name__') return value;
  const name = String(value);
  if (request.group) {
    if (name.split('/').length % 2 !== 0) throw new Error(`'${name}' is not the path of a document`);
    return name;
  }
  if (name.includes('/'))
    throw new Error(`The cursor must be a plain document ID, but '${name}' has a slash`);
  return `${request.collection}/${name}`;
}

function compareBy(
  order: Order,
  values: (field: string, i: number) => readonly [unknown, unknown],
  length: number,
): number {
  for (const [i, [field, direction]] of order.slice(0, length).entries()) {
    const [a, b] = values(field, i);
    const compared = field === '__name__' ? comparePaths(String(a), String(b)) : compareValues(a, b);
    if (compared !== 0) return direction === 'asc' ? compared : -compared;
  }
  return 0;
}

function matches(document: StoredDocument, where: readonly Filter[]): boolean {
  return where.every(([field, op, operand]) => {
    const value = getField(document, field);
    if (value === undefined) return false;
    // A null in the list matches nothing.
    if (op === 'in') return value !== null && (operand as unknown[]).some((one) => isEqual(value, one));
    if (op === 'array-contains') return Array.isArray(value) && value.some((one) => isEqual(one, operand));
    const compared = compareValues(value, operand);
    if (op === '==') return compared === 0;
    if (getTypeRank(value) !== getTypeRank(operand)) return false;
    if (op === '<') return compared < 0;
    if (op === '<=') return compared <= 0;
    if (op === '>') return compared > 0;
    return compared >= 0;
  });
}

function getField({ path, data }: StoredDocument, field: string): unknown {
  if (field === '__name__') return path;
  return field.split('.').reduce<unknown>((value, name) => (value as Data | null | undefined)?.[name], data);
}

/** Firestore's order of types, for those that occur here. */
function getTypeRank(value: unknown): number {
  if (value === null) return 0;
  if (typeof value === 'boolean') return 1;
  if (typeof value === 'number') return 2;
  if (value instanceof Date) return 3;
  if (typeof value === 'string') return 4;
  if (Array.isArray(value)) return 5;
  if (typeof value === 'object') return 6;
  throw new Error('The database in memory does not compare values of this type');
}

function compareValues(a: unknown, b: unknown): number {
  const ranks = getTypeRank(a) - getTypeRank(b);
  if (ranks !== 0 || a === null) return ranks;
  if (typeof a === 'string') return compareText(a, b as string);
  if (typeof a === 'object' && !(a instanceof Date)) return compareLists(toList(a), toList(b as object));
  return Number(a) - Number(b);
}

/** The elements of a list; the names and values of a map, by name. */
const toList = (value: object): unknown[] =>
  Array.isArray(value)
    ? value
    : Object.entries(value)
        .sort(([a], [b]) => compareText(a, b))
        .flat();

function compareLists(a: readonly unknown[], b: readonly unknown[]): number {
  for (const [i, value] of a.slice(0, b.length).entries()) {
    const compared = compareValues(value, b[i]);
    if (compared !== 0) return compared;
  }
  return a.length - b.length;
}

const isEqual = (a: unknown, b: unknown) => compareValues(a, b) === 0;
const compareText = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

function comparePaths(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')];
  for (const [i, segment] of left.entries()) {
    const other = right[i];
    if (other === undefined) return 1;
    const compared = compareText(segment, other);
    if (compared !== 0) return compared;
  }
  return left.length - right.length;
}
