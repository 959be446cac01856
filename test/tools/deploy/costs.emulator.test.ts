/** The bill is based on what the functions really read and write, and on prices with sources. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBill, estimateInstances, perImage, type Usage } from '../../../tools/deploy/costs.ts';
import { manifest } from '../../../tools/deploy/manifest.ts';
import { cloudinaryPlans, prices } from '../../../tools/deploy/prices.ts';
import { countingDatabase } from '../../support/countingDatabase.ts';
import { type Stack, startStack } from '../../support/stack.ts';

const usage: Usage = {
  images: 10_000,
  modelId: 'gemini-2.5-flash-image',
  resolution: '1K',
  secondsPerImage: 20,
  bytesPerImage: 1_500_000,
  viewsPerImage: 3,
  monthsKept: 12,
  enhanceShare: 0,
  accounts: 500,
  visits: 2_500,
};
const usd = (what: string, changed: Partial<Usage> = {}) =>
  createBill({ ...usage, ...changed }).find((line) => line.what.startsWith(what))?.usd ?? Number.NaN;

describe('the estimated reads and writes of an image', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(() => stack.close());

  it('match what generate does', async () => {
    const counted = countingDatabase(stack.database);
    let written = 0;
    const database = {
      ...counted.database,
      commit: (writes: Parameters<typeof counted.database.commit>[0]) => {
        written += writes.length;
        return counted.database.commit(writes);
      },
      close: async () => {},
    };
    // With the deployed model fallback: three models and the project as a whole have four states.
    const models = 'gemini-nano-banana-2.1,gemini-3.1-flash-lite-image';
    const { url, close } = await stack.startServer({ IMAGEGEN_FALLBACK_MODEL_IDS: models }, { database });
    const ada = await stack.user('ada', 5);
    // The first generation also records the console edit that set the balance.
    expect((await ada.generate('first', {}, url)).status).toBe(200);
    const [reads, writes] = [counted.documentsRead(), written];
    expect((await ada.generate('second', {}, url)).status).toBe(200);
    await close();
    const states = counted.documentsRead() - reads - perImage.reads;
    expect([0, perImage.stateReads]).toContain(states);
    expect(reads).toBeGreaterThanOrEqual(perImage.reads + perImage.stateReads);
    expect(written - writes).toBe(perImage.writes);
  });
});

describe('the bill', () => {
  it("uses the chosen model's price", () => {
    expect(usd('Gemini, gemini-2.5')).toBeCloseTo(390);
    expect(usd('Gemini, gemini-3-pro', { modelId: 'gemini-3-pro-image' })).toBeCloseTo(1_340);
    expect(usd('Gemini, enhanced', { enhanceShare: 1 })).toBeGreaterThan(0);
  });

  it('has one instance of generate under constant light load, and more as the load grows', () => {
    expect(estimateInstances({ ...usage, images: 0 })).toBe(0);
    expect(estimateInstances({ ...usage, images: 10 })).toBeLessThan(0.01);
    expect(estimateInstances({ ...usage, images: 100_000 })).toBeCloseTo(1);
    const [perSecond, concurrency] = [100, manifest.generate?.concurrency ?? 0];
    const many = estimateInstances({ ...usage, images: perSecond * 30 * 86_400 });
    expect(many).toBeGreaterThan((perSecond * usage.secondsPerImage) / concurrency);
  });

  it('uses the smallest sufficient Cloudinary plan', () => {
    expect(usd('Cloudinary, Free', { images: 900 })).toBe(0);
    expect(usd('Cloudinary, Plus', { images: 5_000 })).toBe(99);
    expect(usd('Cloudinary, by contract', { images: 1_000_000 })).toBeGreaterThan(249);
  });

  it('is never negative, and grows with the number of images', () => {
    const total = (images: number) =>
      createBill({ ...usage, images }).reduce((sum, line) => sum + line.usd, 0);
    expect(createBill({ ...usage, images: 0 }).every((line) => line.usd >= 0)).toBe(true);
    expect(total(20_000)).toBeGreaterThan(total(10_000));
  });

  it('has a source and a date for each price', () => {
    for (const { source, asOf, usd: price } of [...Object.values(prices), ...cloudinaryPlans]) {
      expect(source).toMatch(/^https:\/\//);
      expect(asOf).toMatch(/^\d{4}-\d{2}$/);
      expect(price).toBeGreaterThanOrEqual(0);
    }
  });

  it('is printed with a total, and marks prices that are not verified', () => {
    const run = (...args: string[]) =>
      execFileSync(process.execPath, ['tools/deploy/costsMain.ts', ...args], {
        encoding: 'utf8',
        stdio: 'pipe',
      });
    expect(run('--images', '10000')).toMatch(/NOT VERIFIED[\s\S]*a month, 0\.\d+ dollars an image\n$/);
    expect(() => run('--images', 'many')).toThrow('--images must be a number');
    expect(() => run('--images', '1', '--model', 'dall-e')).toThrow('--model');
  });
});
