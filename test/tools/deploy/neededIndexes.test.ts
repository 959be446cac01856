/** Which indexes serve a query: the rules of `neededIndexes.ts`, from Firestore's documentation. */
import { describe, expect, it } from 'vitest';
import type { PageRequest, TotalRequest } from '../../../shared/database/database.ts';
import { findIndexes, type IndexFile, toQuery } from './neededIndexes.ts';

describe('the index rules', () => {
  const none: IndexFile = { indexes: [], fieldOverrides: [] };
  const asc = (fieldPath: string) => ({ fieldPath, order: 'ASCENDING' as const });
  const contains = (fieldPath: string) => ({ fieldPath, arrayConfig: 'CONTAINS' as const });
  const desc = (fieldPath: string) => ({ fieldPath, order: 'DESCENDING' as const });
  const index = (
    queryScope: 'COLLECTION' | 'COLLECTION_GROUP',
    ...fields: ReturnType<typeof asc | typeof desc | typeof contains>[]
  ) => ({
    collectionGroup: 'c',
    queryScope,
    fields,
  });
  const page = (more: Partial<PageRequest>): PageRequest => ({
    collection: 'a/b/c',
    orderBy: [],
    limit: 1,
    ...more,
  });
  const isServed = (request: PageRequest | TotalRequest, overrides: Partial<IndexFile> = {}) =>
    findIndexes(toQuery(request), { ...none, ...overrides }).missing.length === 0;

  it.each<[string, boolean, PageRequest | TotalRequest, Partial<IndexFile>?]>([
    [
      'equality filters alone need no composite index',
      true,
      page({
        where: [
          ['x', '==', 1],
          ['y', 'in', [1]],
        ],
      }),
    ],
    [
      'an equality filter on a collection group needs an index',
      false,
      page({ group: true, where: [['x', '==', 1]] }),
    ],
    ['a single sort order needs no composite index', true, page({ orderBy: [['x', 'desc']] })],
    [
      'a range with the sort order of its field needs no composite index',
      true,
      page({
        where: [['x', '<', 1]],
        orderBy: [
          ['x', 'asc'],
          ['__name__', 'asc'],
        ],
      }),
    ],
    [
      'an exempt field has no index',
      false,
      page({ orderBy: [['x', 'desc']] }),
      { fieldOverrides: [{ collectionGroup: 'c', fieldPath: '*', indexes: [] }] },
    ],
    [
      'an index does not serve the other direction',
      false,
      page({ orderBy: [['x', 'desc']] }),
      {
        fieldOverrides: [
          {
            collectionGroup: 'c',
            fieldPath: 'x',
            indexes: [{ order: 'ASCENDING', queryScope: 'COLLECTION' }],
          },
        ],
      },
    ],
    [
      'an equality filter and a sort order need a composite index',
      false,
      page({ where: [['x', '==', 1]], orderBy: [['y', 'desc']] }),
    ],
    [
      'a composite index with both fields serves them',
      true,
      page({ where: [['x', '==', 1]], orderBy: [['y', 'desc']] }),
      { indexes: [index('COLLECTION', asc('x'), desc('y'))] },
    ],
    [
      'a composite index with the other direction does not',
      false,
      page({ where: [['x', '==', 1]], orderBy: [['y', 'desc']] }),
      { indexes: [index('COLLECTION', asc('x'), asc('y'))] },
    ],
    [
      'a composite index with the other scope does not',
      false,
      page({ where: [['x', '==', 1]], orderBy: [['y', 'desc']] }),
      { indexes: [index('COLLECTION_GROUP', asc('x'), desc('y'))] },
    ],
    [
      'a composite index with one more field does not',
      false,
      page({ where: [['x', '==', 1]], orderBy: [['y', 'desc']] }),
      { indexes: [index('COLLECTION', asc('x'), asc('z'), desc('y'))] },
    ],
    [
      'two composite indexes with the same sort order are merged',
      true,
      page({
        where: [
          ['x', '==', 1],
          ['z', '==', 1],
        ],
        orderBy: [['y', 'desc']],
      }),
      { indexes: [index('COLLECTION', asc('x'), desc('y')), index('COLLECTION', asc('z'), desc('y'))] },
    ],
    [
      'one of the two is not enough',
      false,
      page({
        where: [
          ['x', '==', 1],
          ['z', '==', 1],
        ],
        orderBy: [['y', 'desc']],
      }),
      { indexes: [index('COLLECTION', asc('x'), desc('y'))] },
    ],
    [
      'a name in the other direction needs its own index',
      false,
      page({
        where: [['x', '==', 1]],
        orderBy: [
          ['y', 'desc'],
          ['__name__', 'asc'],
        ],
      }),
      { indexes: [index('COLLECTION', asc('x'), desc('y'))] },
    ],
    [
      'a value in an array needs an index that has the values',
      false,
      page({ where: [['x', 'array-contains', 1]], orderBy: [['y', 'desc']] }),
      { indexes: [index('COLLECTION', asc('x'), desc('y'))] },
    ],
    [
      'such an index serves it',
      true,
      page({ where: [['x', 'array-contains', 1]], orderBy: [['y', 'desc']] }),
      { indexes: [index('COLLECTION', contains('x'), desc('y'))] },
    ],
    [
      'but no comparison of the field',
      false,
      page({ where: [['x', '==', 1]], orderBy: [['y', 'desc']] }),
      { indexes: [index('COLLECTION', contains('x'), desc('y'))] },
    ],
    ['a sum uses the index of its field', true, { collection: 'c', field: 'n' }],
    [
      'a sum with an equality filter needs a composite index',
      false,
      { collection: 'c', where: [['x', 'in', [1]]], field: 'n' },
    ],
    [
      'a composite index with both fields serves the sum',
      true,
      { collection: 'c', where: [['x', 'in', [1]]], field: 'n' },
      { indexes: [index('COLLECTION', asc('x'), asc('n'))] },
    ],
  ])('%s', (_, expected, request, overrides) => {
    expect(isServed(request, overrides)).toBe(expected);
  });
});
