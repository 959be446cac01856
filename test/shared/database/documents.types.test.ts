/** Misspelt or mistyped fields of documents do not compile. `tsc` checks this file: an unused directive is an error. */
import { expect, it } from 'vitest';
import {
  createDocument,
  removed,
  serverTime,
  setDocument,
  updateDocument,
  type Version,
} from '../../../shared/database/database.ts';
import { jobPath } from '../../../shared/database/jobs.ts';
import { cachePath } from '../../../shared/generation/cache.ts';
import { outboxPath } from '../../../shared/generation/outbox.ts';
import type { GenerationData } from '../../../shared/generation/record.ts';
import { generationPath } from '../../../shared/generation/record.ts';
import { quotaPath } from '../../../shared/imagegen/quotaState.ts';
import { accountPath } from '../../../shared/ledger/account.ts';
import { entryPath } from '../../../shared/ledger/entries.ts';

const version: Version = { isEqual: () => true };
const now = new Date(0);

it('accepts the fields of each document', () => {
  const writes = [
    updateDocument(accountPath('u'), { balance: 1, note: removed, updatedAt: serverTime }, version),
    createDocument(entryPath('u', 'signup'), {
      sequence: 1,
      type: 'grant',
      amount: 1,
      balance: 1,
      createdAt: now,
    }),
    updateDocument(generationPath('u', 'g'), { status: 'succeeded', finishedAt: serverTime }, version),
    setDocument(cachePath('key'), { uid: 'u', generationId: 'g', expiresAt: now }),
  ];
  expect(writes).toHaveLength(4);
});

it('rejects a misspelt field of an account', () => {
  // @ts-expect-error
  updateDocument(accountPath('u'), { ballance: 1 }, version);
  // @ts-expect-error
  createDocument(accountPath('u'), { balance: 0, signUpDue: true });
});

it('rejects a misspelt, missing or mistyped field of an entry', () => {
  // @ts-expect-error
  createDocument(entryPath('u', 'e'), { sequence: 1, type: 'grant', ammount: 1, balance: 1, createdAt: now });
  // @ts-expect-error
  createDocument(entryPath('u', 'e'), { sequence: 1, type: 'grant', balance: 1, createdAt: now });
  // @ts-expect-error
  createDocument(entryPath('u', 'e'), { sequence: 1, type: 'gift', amount: 1, balance: 1, createdAt: now });
});

it('rejects a misspelt field of a generation', () => {
  // @ts-expect-error
  updateDocument(generationPath('u', 'g'), { state: 'succeeded' }, version);
  // @ts-expect-error
  const fields: Partial<GenerationData> = { providerCostMicro: 1 };
  expect(fields).toBeDefined();
});

it('rejects a misspelt field of every other document', () => {
  // @ts-expect-error
  setDocument(cachePath('key'), { uid: 'u', generationId: 'g', expiresOn: now });
  // @ts-expect-error
  setDocument(jobPath('reconcile'), { afterwards: null, updatedAt: serverTime });
  // @ts-expect-error
  updateDocument(quotaPath('model'), { status: 'ready' }, version);
  // @ts-expect-error
  updateDocument(outboxPath('g'), { duesAt: now }, version);
});

it('accepts the time of the server only where a time belongs', () => {
  // @ts-expect-error
  updateDocument(accountPath('u'), { balance: serverTime }, version);
});
