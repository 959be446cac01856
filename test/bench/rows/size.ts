/** Row 9: what the history of an account costs its next generation and its pages. */
import type { WriteBatch } from '@google-cloud/firestore';
import { parseConfig } from '../../../shared/config/config.ts';
import { generateRequestSchema } from '../../../shared/contract.ts';
import { systemClock } from '../../../shared/core/clock.ts';
import { createLog } from '../../../shared/core/log.ts';
import { createDatabase } from '../../../shared/database/firestore.ts';
import { readGallery } from '../../../shared/generation/gallery.ts';
import { hold } from '../../../shared/generation/hold.ts';
import { hashFingerprint, hashGenerationId } from '../../../shared/generation/record.ts';
import { settle } from '../../../shared/generation/settle.ts';
import { readEntries } from '../../../shared/ledger/entries.ts';
import { createLedger } from '../../../shared/ledger/ledger.ts';
import { alwaysAvailable } from '../../support/alwaysAvailable.ts';
import { countingDatabase } from '../../support/countingDatabase.ts';
import { createLedgerSettings } from '../../support/ledgerSettings.ts';
import { now } from '../client.ts';
import { median, type Row } from '../stats.ts';
import type { World } from '../world.ts';

const historyLength = 10_000;
const perRun = 5;
const pageSize = 20;
const writesPerBatch = 500;
const request = generateRequestSchema.parse({ prompt: 'A banana on the moon', tier: 'standard' });
const urls = { url: 'https://example.com/a.png', thumbnailUrl: 'https://example.com/b.png' };
const image = { ...urls, mimeType: 'image/png' as const, width: 1, height: 1, bytes: 70 };
const generated = {
  model: 'gemini-2.5-flash-image',
  enhancedPrompt: null,
  image,
  imageHash: '0'.repeat(64),
  providerCostMicros: 39_000,
  cacheUntil: new Date(0),
};

/** Row 9. */
export async function size(world: World, runs: number): Promise<Row[]> {
  const { firestoreHost } = world;
  const config = parseConfig({
    GOOGLE_CLOUD_PROJECT: world.getProject('ours'),
    FIRESTORE_EMULATOR_HOST: firestoreHost,
  });
  const counted = countingDatabase(createDatabase(config));
  const limits = { maxInFlightPerUser: 64, maxPerMinutePerUser: 10_000, maxRefundsPerHourPerUser: 1_000 };
  const settings = createLedgerSettings({ limits, holdMs: 180_000 });
  const ledger = createLedger(
    counted.database,
    settings,
    createLog(() => {}),
    systemClock,
  );
  let keys = 0;

  async function holdAndSettle(uid: string) {
    keys += 1;
    const holder = { uid, email: `${uid}@example.com`, verified: true, identities: [] };
    const id = hashGenerationId(uid, `size-${keys}`);
    const params = { id, fingerprint: hashFingerprint(request), request, availability: alwaysAvailable };
    const { record } = await hold(ledger, holder, params);
    return settle(ledger, record, generated);
  }

  const template = await world.newUser('ours', 10);
  const { id: templateId } = await holdAndSettle(template.uid);
  const full = await world.newUser('ours', 1_000_000);
  await fillHistory(world, full.uid, `accounts/${template.uid}/generations/${templateId}`);

  const times = { full: [] as number[], empty: [] as number[] };
  for (let run = -2; run < runs; run += 1) {
    // A new account for each run, so that both accounts have the same number of recent holds.
    const { uid: empty } = await world.newUser('ours', 1_000);
    for (const [name, uid] of [['full', full.uid] as const, ['empty', empty] as const]) {
      const each: number[] = [];
      for (let i = 0; i < perRun; i += 1) {
        const began = now();
        await holdAndSettle(uid);
        each.push(now() - began);
      }
      if (run >= 0) times[name].push(median(each));
    }
    await clearRecentHolds(world, full.uid);
  }

  const read: Record<string, number> = {};
  const pages = {
    ledger: () => readEntries(ledger, full.uid, { pageSize }),
    gallery: () => readGallery(ledger, full.uid, { pageSize }, ''),
  };
  for (const [name, page] of Object.entries(pages)) {
    counted.reset();
    await page();
    read[name] = counted.documentsRead();
  }
  await counted.database.close();
  return [
    {
      name: `hold and settle with ${historyLength} entries and generations`,
      unit: 'ms',
      ours: median(times.full),
      other: median(times.empty),
      against: 'the same on an empty account',
      goal: { most: 1.15 },
      note:
        `a page of ${pageSize}: ledger reads ${read.ledger} documents by the index of entries on sequence (automatic), ` +
        `gallery ${read.gallery} by that of generations on status and createdAt (firestore.indexes.json)`,
    },
  ];
}

/** Gives an account a long history: copies of a succeeded generation, and their debits. */
async function fillHistory(world: World, uid: string, templatePath: string): Promise<void> {
  const firestore = world.getDatabase('ours');
  const account = firestore.doc(`accounts/${uid}`);
  const template = (await firestore.doc(templatePath).get()).data() ?? {};
  let batch: WriteBatch = firestore.batch();
  for (let i = 1; i <= historyLength; i += 1) {
    const createdAt = new Date(Date.now() - (historyLength - i) * 60_000);
    const id = hashGenerationId(uid, `past-${i}`);
    batch.set(account.collection('generations').doc(id), { ...template, createdAt });
    const entry = { sequence: i, type: 'debit', amount: -1, balance: 0, generationId: id, createdAt };
    batch.set(account.collection('entries').doc(`${id}:debit`), entry);
    if ((i * 2) % writesPerBatch === 0) {
      await batch.commit();
      batch = firestore.batch();
    }
  }
  await account.update({ sequence: historyLength });
}

/** Removes the holds of the last minute, which are not part of the measured history. */
const clearRecentHolds = (world: World, uid: string) =>
  world.getDatabase('ours').doc(`accounts/${uid}`).update({ active: {}, rate: [] });
