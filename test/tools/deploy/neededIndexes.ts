/**
 * Which index a query of Firestore needs, by Google's rules: "Index types in Cloud Firestore" and "Query
 * data with aggregations". A query is served by scanning one range of an index, or by merging several that
 * are sorted the same way:
 * - filters by equality alone: the single-field indexes of each field, merged;
 * - one field that is compared or sorted by, and no other: its single-field index;
 * - otherwise composite indexes that end in the fields sorted by, in their directions, and begin with fields
 *   compared by equality; together they must begin with all of those.
 * A field that is summed must be in the index: it counts as one more that is sorted by. `__name__` stands at
 * the end of every index in the direction of the field before it. An index is of one scope, a collection's or
 * that of all collections of a name, and serves no query of the other.
 */
import type { Filter, PageRequest, TotalRequest } from '../../../shared/database/database.ts';

type Direction = 'ASCENDING' | 'DESCENDING';
type Scope = 'COLLECTION' | 'COLLECTION_GROUP';
type IndexField = { fieldPath: string; order: Direction };
export type Index = { collectionGroup: string; queryScope: Scope; fields: IndexField[] };
type Override = {
  collectionGroup: string;
  fieldPath: string;
  ttl?: boolean;
  indexes: { order?: Direction; arrayConfig?: 'CONTAINS'; queryScope: Scope }[];
};
export type IndexFile = { indexes: Index[]; fieldOverrides: Override[] };

/** A query, with everything of it that an index depends on. */
export type Query = {
  collectionGroup: string;
  scope: Scope;
  equal: string[];
  /** What the index must be sorted by, after the fields compared by equality. */
  sorted: IndexField[];
};

const nameField = '__name__';

export function toQuery(request: PageRequest | TotalRequest): Query {
  const { collection, group, where = [] } = request;
  const isEquality = ([, op]: Filter) => op === '==' || op === 'in';
  const equal = [...new Set(where.filter(isEquality).map(([field]) => field))];
  const given: IndexField[] = ('orderBy' in request ? request.orderBy : []).map(([fieldPath, direction]) => ({
    fieldPath,
    order: direction === 'asc' ? 'ASCENDING' : 'DESCENDING',
  }));
  const more = [
    ...where.filter((filter) => !isEquality(filter)).map(([field]) => field),
    ...('field' in request ? [request.field] : []),
  ];
  const sorted = [...given];
  for (const fieldPath of more) {
    if (!sorted.some((one) => one.fieldPath === fieldPath)) sorted.push({ fieldPath, order: 'ASCENDING' });
  }
  const needed = sorted.filter(({ fieldPath }) => !equal.includes(fieldPath));
  const last = needed.at(-1);
  const before = needed.at(-2)?.order ?? 'ASCENDING';
  if (last?.fieldPath === nameField && last.order === before) needed.pop();
  return {
    collectionGroup: collection.split('/').at(-1) ?? '',
    scope: group ? 'COLLECTION_GROUP' : 'COLLECTION',
    equal,
    sorted: needed,
  };
}

export type Served = { used: Index[]; missing: string[] };

/** The composite indexes that serve a query, and what is missing for it in words. */
export function findIndexes(query: Query, file: IndexFile): Served {
  const { collectionGroup, scope, equal, sorted } = query;
  const [first, ...rest] = sorted;
  if (!first) {
    const merged = equal.filter((fieldPath) => !hasSingle(file, query, { fieldPath, order: 'ASCENDING' }));
    return {
      used: [],
      missing: merged.map((field) => `${scope} index on ${collectionGroup}.${field} ASCENDING`),
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
      (field, i) => field.fieldPath === sorted[i]?.fieldPath && field.order === sorted[i]?.order,
    );
    return (
      suffix.length === sorted.length && endsRight && prefix.every((field) => equal.includes(field.fieldPath))
    );
  });
  const covered = new Set(used.flatMap((index) => index.fields.map((field) => field.fieldPath)));
  if (used.length > 0 && equal.every((field) => covered.has(field))) return { used, missing: [] };
  const fields = [
    ...equal.map((field) => `${field} ASCENDING`),
    ...sorted.map((one) => `${one.fieldPath} ${one.order}`),
  ];
  return { used: [], missing: [`${scope} index on ${collectionGroup} of ${fields.join(', ')}`] };
}

/** Whether a field has a single-field index: in its collection by itself unless exempted, in a group only where asked for. */
function hasSingle(
  { fieldOverrides }: IndexFile,
  { collectionGroup, scope }: Query,
  { fieldPath, order }: IndexField,
): boolean {
  if (fieldPath === nameField) return order === 'ASCENDING';
  const override = (path: string) =>
    fieldOverrides.find((one) => one.collectionGroup === collectionGroup && one.fieldPath === path);
  const found = override(fieldPath) ?? override('*');
  if (!found) return scope === 'COLLECTION';
  return found.indexes.some((index) => index.queryScope === scope && index.order === order);
}
