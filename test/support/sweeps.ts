/** What tests of the sweep share: holds that a dead worker left, images in the store, and the sweep itself. */
import { expect } from 'vitest';
import { encodePng } from '../../local/fakes/png.ts';
import { parseConfig } from '../../shared/config/config.ts';
import { generateRequestSchema, type Tier } from '../../shared/contract.ts';
import { systemClock } from '../../shared/core/clock.ts';
import { createLog } from '../../shared/core/log.ts';
import { hold } from '../../shared/generation/hold.ts';
import { generationPath, hashFingerprint, hashGenerationId } from '../../shared/generation/record.ts';
import { createLedger } from '../../shared/ledger/ledger.ts';
import { alwaysAvailable } from './alwaysAvailable.ts';
import { createLedgerSettings } from './ledgerSettings.ts';
import { startGatedGemini } from './modelGate.ts';
import { runJob, schedulerEnv } from './scheduler.ts';
import { startStack } from './stack.ts';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const fromNow = (milliseconds: number) => new Date(Date.now() + milliseconds);
export const overdue = () => fromNow(-1_000);

type Left = { deadline: Date; tier: Tier; uploaded: boolean };

export async function startSweeps() {
  const gemini = await startGatedGemini();
  const stack = await startStack({ GOOGLE_GEMINI_BASE_URL: gemini.url, ...schedulerEnv });
  const limits = { maxInFlightPerUser: 1_000, maxPerMinutePerUser: 10_000, maxRefundsPerHourPerUser: 1_000 };
  const settings = createLedgerSettings({ limits, holdMs: 3 * minuteMs });
  const silent = createLog(() => {});
  const ledger = createLedger(stack.database, settings, silent, systemClock);
  const { createImageStore } = await import('../../shared/images/cloudinary.ts');
  const { cloudinaryUrl } = stack.cloudinary;
  const images = createImageStore(
    parseConfig({ GOOGLE_CLOUD_PROJECT: 'demo', CLOUDINARY_URL: cloudinaryUrl }),
  );
  const png = Buffer.from(await encodePng(new Uint8Array(8 * 8 * 4), 8, 8));

  const upload = (publicId: string) => images.store(publicId, [png], 5_000, new AbortController().signal);

  /** Leaves what a dead worker leaves: a hold that is neither settled nor refunded. */
  async function leaveHold(
    uid: string,
    key: string,
    { deadline = overdue(), tier = 'standard', uploaded = false }: Partial<Left> = {},
  ) {
    const id = hashGenerationId(uid, key);
    const request = generateRequestSchema.parse({ prompt: 'A banana on the moon', tier });
    const params = { id, fingerprint: hashFingerprint(request), request, availability: alwaysAvailable };
    const { record } = await hold(ledger, { uid, email: undefined, verified: false, identities: [] }, params);
    if (uploaded) await upload(record.publicId);
    await stack.edit(generationPath(uid, id), { deadline });
    return { ...record, path: generationPath(uid, id), outbox: `outbox/${id}` };
  }

  return {
    stack,
    gemini,
    upload,
    leaveHold,
    isStored: (publicId: string) => stack.cloudinary.assets.has(publicId),
    getStatus: async (path: string) => (await stack.document(path))?.status,
    getOutboxItem: async (path: string) => (await stack.document(path)) as { dueAt: Date; until: Date },

    /** Runs a sweep, on another server if `url` names one. */
    async sweep(url?: string) {
      const { status, body } = await runJob(stack, 'sweepHolds', url ? { url } : {});
      expect(status).toBe(200);
      return body as { refunded: number; deletedAssets: number };
    },

    /** The requests to the image store that delete this image. */
    findDestroys: (id: string) =>
      stack.cloudinary.requests.filter(({ action, publicId }) => action === 'destroy' && publicId === id),

    /** Empties the database and what was recorded. */
    async reset() {
      await stack.clear();
      stack.cloudinary.requests.length = 0;
      stack.logs.length = 0;
    },

    async close() {
      await stack.close();
      await gemini.close();
    },
  };
}
