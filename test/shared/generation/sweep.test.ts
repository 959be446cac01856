/** Sweeps that need several pages: nothing that is due is passed over at the end of a page. */
import { expect, it } from 'vitest';
import { generateRequestSchema } from '../../../shared/contract.ts';
import { createLog } from '../../../shared/core/log.ts';
import { hold } from '../../../shared/generation/hold.ts';
import { sweepHolds, sweepOutbox } from '../../../shared/generation/sweep.ts';
import type { ImageStore } from '../../../shared/images/cloudinary.ts';
import { createLedger } from '../../../shared/ledger/ledger.ts';
import { createMemoryDatabase, createMemoryStore } from '../../simulation/memoryDatabase.ts';
import { alwaysAvailable } from '../../support/alwaysAvailable.ts';
import { createLedgerSettings } from '../../support/ledgerSettings.ts';
import { virtualClock } from '../../support/virtualClock.ts';

const request = generateRequestSchema.parse({ prompt: 'A banana', tier: 'standard' });
const user = { uid: 'ann', email: undefined, verified: true, identities: [] };
/** More than two pages. */
const generationCount = 230;
const holdMs = 1_000;
/** After this time no upload can arrive any more. */
const uploadMs = 3_600_000;

function createWorld() {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const store = createMemoryStore(() => now);
  const limits = { maxInFlightPerUser: 1_000, maxPerMinutePerUser: 1_000, maxRefundsPerHourPerUser: 1_000 };
  const settings = createLedgerSettings({ signupCredits: 1_000, limits, holdMs });
  const lines: string[] = [];
  const log = createLog((line) => void lines.push(line));
  const ledger = createLedger(createMemoryDatabase(store), settings, log, virtualClock().clock);
  const errors = () => lines.filter((line) => line.includes('"ERROR"'));
  const advance = (milliseconds: number) => {
    now += milliseconds;
  };
  return { ledger, errors, advance };
}

it('refunds every overdue hold and deletes every due image, although many are due at the same time', async () => {
  const { ledger, errors, advance } = createWorld();
  for (let i = 0; i < generationCount; i += 1) {
    const id = i.toString(16).padStart(32, '0');
    await hold(ledger, user, { id, fingerprint: 'f', request, availability: alwaysAvailable });
  }
  advance(holdMs);
  expect(await sweepHolds(ledger, () => true)).toBe(generationCount);
  advance(uploadMs);
  const destroyed: string[] = [];
  const images = async () =>
    ({
      async destroy(publicId: string) {
        destroyed.push(publicId);
        return true;
      },
    }) as Partial<ImageStore> as ImageStore;
  expect(await sweepOutbox(ledger, images, () => true)).toBe(generationCount);
  expect(new Set(destroyed).size).toBe(generationCount);
  expect(errors()).toEqual([]);
});
