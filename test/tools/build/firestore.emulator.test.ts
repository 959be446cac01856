/**
 * The bundled database client, without the parts of Google's library that the rules remove, makes every call that we
 * use to the emulator.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { parseConfig } from '../../../shared/config/config.ts';
import type { Database } from '../../../shared/database/database.ts';
import { bundleFunctions } from '../../../tools/build/bundle.ts';

const outdir = mkdtempSync(join(tmpdir(), 'nano-banana-bundle-'));
let database: Database;

beforeAll(async () => {
  await bundleFunctions(outdir);
  const file = readdirSync(outdir).find((name) => /^firestore-.*\.mjs$/.test(name)) ?? '';
  const { createDatabase } = await import(pathToFileURL(join(outdir, file)).href);
  const env = {
    GOOGLE_CLOUD_PROJECT: `demo-bundle-${process.pid}`,
    FIRESTORE_EMULATOR_HOST: inject('firestoreHost'),
  };
  database = createDatabase(parseConfig(env));
});
afterAll(async () => {
  await database?.close();
  rmSync(outdir, { recursive: true, force: true });
});

const data = {
  amount: 3,
  part: 0.5,
  name: 'ñ',
  at: new Date('2026-01-01T00:00:00.123Z'),
  none: null,
  yes: true,
  tags: ['a', { b: 1 }],
  deep: { er: { still: 'here' } },
};

it('commits every kind of write, and reads the documents back', async () => {
  const version = await database.commit([
    { create: 'dist/one', data },
    { set: 'dist/two', data: { amount: 4 } },
    { set: 'dist/gone', data: {} },
  ]);
  await database.commit([{ update: 'dist/one', data: { amount: 5 }, at: version }, { delete: 'dist/gone' }]);
  const { documents, readTime } = await database.read(['dist/one', 'dist/two', 'dist/gone']);
  expect(documents.map((document) => document?.data)).toEqual([
    { ...data, amount: 5 },
    { amount: 4 },
    undefined,
  ]);
  expect(Math.abs(readTime.getTime() - Date.now())).toBeLessThan(60_000);
});

it('rejects a failed precondition with CommitRejected', async () => {
  await expect(database.commit([{ create: 'dist/two', data: {} }])).rejects.toMatchObject({
    name: 'CommitRejected',
    cause: { code: 6 },
  });
});

it('queries pages of a collection and of a collection group', async () => {
  const one = await database.page({ collection: 'dist', orderBy: [['amount', 'desc']], limit: 1 });
  expect(one.documents.map(({ path }) => path)).toEqual(['dist/one']);
  const next = await database.page({
    collection: 'dist',
    orderBy: [['amount', 'desc']],
    after: [5],
    limit: 9,
  });
  expect(next.documents.map(({ path }) => path)).toEqual(['dist/two']);
  const where = [['amount', 'in', [4, 9]]] as const;
  const group = await database.page({ collection: 'dist', group: true, where, orderBy: [], limit: 9 });
  expect(group.documents.map(({ id }) => id)).toEqual(['two']);
});

it('reads a document and sums at the same time, in a read-only transaction', async () => {
  const where = [['amount', '>', 4]] as const;
  const { document, totals } = await database.totals('dist/two', [
    { collection: 'dist', field: 'amount' },
    { collection: 'dist', field: 'amount', where, group: true },
  ]);
  expect([document?.data, totals]).toEqual([
    { amount: 4 },
    [
      { sum: 9, count: 2 },
      { sum: 5, count: 1 },
    ],
  ]);
});
