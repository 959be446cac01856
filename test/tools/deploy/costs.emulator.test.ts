/** The bill: reckoned from what the functions really read and write, and from prices that say where they are from. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bill, generateInstances, perImage, type Use } from '../../../tools/deploy/costs.ts';
import { manifest } from '../../../tools/deploy/manifest.ts';
import { cloudinaryPlans, prices } from '../../../tools/deploy/prices.ts';
import { countingDatabase } from '../../support/countingDatabase.ts';
import { type Stack, startStack } from '../../support/stack.ts';

const use: Use = {
  images: 10_000,
  modelId: 'gemini-2.5-flash-image',
  secondsPerImage: 20,
  bytesPerImage: 1_500_000,
  viewsPerImage: 3,
  monthsKept: 12,
  enhanceShare: 0,
  accounts: 500,
  visits: 2_500,
};
const usd = (what: string, changed: Partial<Use> = {}) =>
  bill({ ...use, ...changed }).find((line) => line.what.startsWith(what))?.usd ?? Number.NaN;

describe('what an image is reckoned to read and write', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(() => stack.close());

  it('is what generate does', async () => {
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
    // With the chain that is deployed: three models and all of them at once are four states.
    const models = 'gemini-nano-banana-2.1,gemini-3.1-flash-lite-image';
    const { url, close } = await stack.startServer({ IMAGEGEN_FALLBACK_MODEL_IDS: models }, { database });
    const ada = await stack.user('ada', 5);
    // The first one also records what was typed into the console.
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
  it('is of the price of the model that is asked for', () => {
    expect(usd('Gemini, gemini-2.5')).toBeCloseTo(390);
    expect(usd('Gemini, gemini-3-pro', { modelId: 'gemini-3-pro-image' })).toBeCloseTo(1_340);
    expect(usd('Gemini, better', { enhanceShare: 1 })).toBeGreaterThan(0);
  });

  it('has one instance of generate as long as there is always something to do, and more as work grows', () => {
    expect(generateInstances({ ...use, images: 0 })).toBe(0);
    expect(generateInstances({ ...use, images: 10 })).toBeLessThan(0.01);
    expect(generateInstances({ ...use, images: 100_000 })).toBeCloseTo(1);
    const [perSecond, concurrency] = [100, manifest.generate?.concurrency ?? 0];
    const many = generateInstances({ ...use, images: perSecond * 30 * 86_400 });
    expect(many).toBeGreaterThan((perSecond * use.secondsPerImage) / concurrency);
  });

  it('takes the smallest plan of Cloudinary that is enough', () => {
    expect(usd('Cloudinary, Free', { images: 900 })).toBe(0);
    expect(usd('Cloudinary, Plus', { images: 5_000 })).toBe(99);
    expect(usd('Cloudinary, by contract', { images: 1_000_000 })).toBeGreaterThan(249);
  });

  it('is never negative, and grows with the images', () => {
    const total = (images: number) => bill({ ...use, images }).reduce((sum, line) => sum + line.usd, 0);
    expect(bill({ ...use, images: 0 }).every((line) => line.usd >= 0)).toBe(true);
    expect(total(20_000)).toBeGreaterThan(total(10_000));
  });

  it('says of each price where it is from and from when', () => {
    for (const { source, asOf, usd: price } of [...Object.values(prices), ...cloudinaryPlans]) {
      expect(source).toMatch(/^https:\/\//);
      expect(asOf).toMatch(/^\d{4}-\d{2}$/);
      expect(price).toBeGreaterThanOrEqual(0);
    }
  });

  it('is printed, with a total, and marks what nobody has verified', () => {
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
