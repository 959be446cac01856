/**
 * Finds the indexes that a Firestore query needs, by the rules in Google's documentation: "Index types in Cloud
 * Firestore" and "Query data with aggregations". Firestore scans one range of an index, or merges several indexes with
 * the same sort order:
 * - only equality filters: the single-field indexes of all fields, merged;
 * - a single field with a range filter or a sort order: its single-field index;
 * - otherwise composite indexes that end in the sort fields, in their directions, and begin with equality fields.
 *   Together they must cover all equality fields.
 * An array in which a value is looked for counts as an equality field, and must be CONTAINS in the index. A summed field must be in the index, and counts as one more sort field. `__name__` is at the end of every index, in
 * the direction of the field before it. An index has one scope, a collection or all collections with one name, and
 * does not serve queries with the other scope.
 */
import type { Filter, PageRequest, TotalRequest } from '../../../shared/database/database.ts';

type Direction = 'ASCENDING' | 'DESCENDING';
type Scope = 'COLLECTION' | 'COLLECTION_GROUP';
type SortField = { fieldPath: string; order: Direction };
type IndexField = SortField | { fieldPath: string; arrayConfig: 'CONTAINS' };
export type Index = { collectionGroup: string; queryScope: Scope; fields: IndexField[] };
type Override = {
  collectionGroup: string;
  fieldPath: string;
  ttl?: boolean;
  indexes: { order?: Direction; arrayConfig?: 'CONTAINS'; queryScope: Scope }[];
};
export type IndexFile = { indexes: Index[]; fieldOverrides: Override[] };

/** The parts of a query that determine its index. */
export type Query = {
  collectionGroup: string;
  scope: Scope;
  equal: string[];
  /** The sort order of the index, after the equality fields. */
  sorted: SortField[];
  /** The field in which a value is looked for. */
  contained?: string;
};

const nameField = '__name__';

export function toQuery(request: PageRequest | TotalRequest): Query {
  const { collection, group, where = [] } = request;
  const isEquality = ([, op]: Filter) => op === '==' || op === 'in' || op === 'array-contains';
  const equal = [...new Set(where.filter(isEquality).map(([field]) => field))];
  const orderFields: SortField[] = ('orderBy' in request ? request.orderBy : []).map(
    ([fieldPath, direction]) => ({
      fieldPath,
      order: direction === 'asc' ? 'ASCENDING' : 'DESCENDING',
    }),
  );
  const more = [
    ...where.filter((filter) => !isEquality(filter)).map(([field]) => field),
    ...('field' in request ? [request.field] : []),
  ];
  const sorted = [...orderFields];
  for (const fieldPath of more) {
    if (!sorted.some((one) => one.fieldPath === fieldPath)) sorted.push({ fieldPath, order: 'ASCENDING' });
  }
  const contained = where.find(([, op]) => op === 'array-contains')?.[0];
  const sortFields = sorted.filter(({ fieldPath }) => !equal.includes(fieldPath));
  const last = sortFields.at(-1);
  const before = sortFields.at(-2)?.order ?? 'ASCENDING';
  if (last?.fieldPath === nameField && last.order === before) sortFields.pop();
  return {
    collectionGroup: collection.split('/').at(-1) ?? '',
    scope: group ? 'COLLECTION_GROUP' : 'COLLECTION',
    equal,
    sorted: sortFields,
    ...(contained !== undefined && { contained }),
  };
}

export type Served = { used: Index[]; missing: string[] };

/** The composite indexes that a query uses, and a description of each missing index. */
export function findIndexes(query: Query, file: IndexFile): Served {
  const { collectionGroup, scope, equal, sorted, contained } = query;
  const [first, ...rest] = sorted;
  if (!first) {
    const missingFields = equal.filter(
      (fieldPath) => !hasSingle(file, query, { fieldPath, order: 'ASCENDING' }),
    );
    return {
      used: [],
      missing: missingFields.map((field) => `${scope} index on ${collectionGroup}.${field} ASCENDING`),
    };
  }
  if (equal.length === 0 && rest.length === 0) {
    const isThere = hasSingle(file, query, first);
    return {
      used: [],
      missing: isThere ? [] : [`${scope} index on ${collectionGroup}.${first.fieldPath} ${first.order}`],
    };
  }
  const used = file.indexes.filter((index) => {
    if (index.collectionGroup !== collectionGroup || index.queryScope !== scope) return false;
    const prefix = index.fields.slice(0, index.fields.length - sorted.length);
    const suffix = index.fields.slice(prefix.length);
    const endsRight = suffix.every(
      (field, i) =>
        'order' in field && field.fieldPath === sorted[i]?.fieldPath && field.order === sorted[i]?.order,
    );
    const isEqual = (field: IndexField) =>
      equal.includes(field.fieldPath) && 'arrayConfig' in field === (field.fieldPath === contained);
    return suffix.length === sorted.length && endsRight && prefix.every(isEqual);
  });
  const covered = new Set(used.flatMap((index) => index.fields.map((field) => field.fieldPath)));
  if (used.length > 0 && equal.every((field) => covered.has(field))) return { used, missing: [] };
  const fields = [
    ...equal.map((field) => `${field} ${field === contained ? 'CONTAINS' : 'ASCENDING'}`),
    ...sorted.map((one) => `${one.fieldPath} ${one.order}`),
  ];
  return { used: [], missing: [`${scope} index on ${collectionGroup} of ${fields.join(', ')}`] };
}

/**
 * True if a field has a single-field index. In a collection it has one unless it is exempt; in a collection group only
 * if firestore.indexes.json adds one.
 */
function hasSingle(
  { fieldOverrides }: IndexFile,
  { collectionGroup, scope }: Query,
  { fieldPath, order }: SortField,
): boolean {
  if (fieldPath === nameField) return order === 'ASCENDING';
  const override = (path: string) =>
    fieldOverrides.find((one) => one.collectionGroup === collectionGroup && one.fieldPath === path);
  const found = override(fieldPath) ?? override('*');
  if (!found) return scope === 'COLLECTION';
  return found.indexes.some((index) => index.queryScope === scope && index.order === order);
}
