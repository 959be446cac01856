/** A job over all documents of a collection: each is handled once, page by page, and none is passed over. */
import { expect, it } from 'vitest';
import { createLog } from '../../../shared/core/log.ts';
import type { StoredDocument } from '../../../shared/database/database.ts';
import { forEachDocument } from '../../../shared/database/forEachDocument.ts';
import { createRetryCommit } from '../../../shared/database/retryCommit.ts';
import { createMemoryDatabase, createMemoryStore } from '../../simulation/memoryDatabase.ts';

const ids = ['a', 'b', 'c', 'd', 'e'];

/** Handles the documents in pages of three until `mayContinue` is false. */
async function runJob(handle: (id: string) => Promise<void>, mayContinue = () => true) {
  const store = createMemoryStore(() => 0);
  store.commit(ids.map((id) => ({ create: `things/${id}`, data: {} })));
  const lines: string[] = [];
  const cursors: (string | undefined)[] = [];
  await forEachDocument(
    {
      database: createMemoryDatabase(store),
      retryCommit: createRetryCommit(),
      log: createLog((line) => void lines.push(line)),
    },
    {
      query: { collection: 'things', orderBy: [['__name__', 'asc']] },
      cursor: ({ id }: StoredDocument) => [id],
      pageSize: 3,
      mayContinue,
      onPage: async (last) => void cursors.push(last?.id),
    },
    ({ id }) => handle(id),
  );
  return { lines, cursors };
}

it('handles every document once, and reports the last one of each page', async () => {
  const handled: string[] = [];
  const { cursors } = await runJob(async (id) => void handled.push(id));
  expect(handled).toEqual(ids);
  expect(cursors).toEqual(['c', undefined]);
});

it('handles every document up to the one after which the next call continues, though time ran out', async () => {
  const handled: string[] = [];
  const mayContinue = () => handled.length === 0;
  const { cursors } = await runJob(async (id) => void handled.push(id), mayContinue);
  expect(cursors).toEqual(['c']);
  expect(handled).toEqual(['a', 'b', 'c']);
});

it('logs a failure and goes on with the next document', async () => {
  const handled: string[] = [];
  const { lines } = await runJob(async (id) => {
    if (id === 'b') throw new Error('a mistake');
    handled.push(id);
  });
  expect(handled).toEqual(['a', 'c', 'd', 'e']);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('things/b');
});
