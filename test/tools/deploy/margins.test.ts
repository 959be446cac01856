/** What is left of a pack for each image: the fee, the cost of each model, each tier. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Tier } from '../../../shared/contract.ts';
import { computeMargins, formatMargins } from '../../../tools/deploy/margins.ts';
import { stripeFees } from '../../../tools/deploy/prices.ts';
import { tierCredits } from '../../support/tierCredits.ts';

type Row = [string, [number, number], keyof typeof stripeFees, number, Tier, string, number, number];
const flash = 'gemini-2.5-flash-image';
const banana = 'gemini-nano-banana-2.1';
const pro = 'gemini-3-pro-image';

describe('a pack', () => {
  it.each<Row>([
    // pack, fee in its currency, dollars left of an image
    ['5 dollars for 100, standard', [5, 100], 'us', 1, 'standard', flash, 0.445, 0.04555 - 0.039],
    ['5 dollars for 100, premium2', [5, 100], 'us', 1, 'premium2', flash, 0.445, 0.0911 - 0.039],
    ['5 dollars for 100, premium4', [5, 100], 'us', 1, 'premium4', banana, 0.445, 0.1822 - 0.0336],
    ['20 dollars for 500, standard', [20, 500], 'us', 1, 'standard', banana, 0.88, 0.03824 - 0.0336],
    ['20 dollars for 500 at a loss', [20, 500], 'us', 1, 'standard', pro, 0.88, 0.03824 - 0.134],
    ['5 euros for 100', [5, 100], 'eea', 1.1, 'standard', flash, 0.325, 0.051425 - 0.039],
    ['5 pounds for 100', [5, 100], 'uk', 1.25, 'standard', flash, 0.275, 0.0590625 - 0.039],
    ['a free pack', [0, 100], 'us', 1, 'standard', flash, 0.3, -0.003 - 0.039],
  ])('%s', (_, [price, credits], region, usdRate, tier, modelId, fee, left) => {
    const options = {
      fee: stripeFees[region],
      usdRate,
      tierCredits,
      modelIds: [modelId],
      resolution: '1K',
      otherUsd: 0,
    } as const;
    const margin = computeMargins([{ price, credits }], options).find((one) => one.tier === tier);
    expect(margin?.fee).toBeCloseTo(fee, 9);
    expect(margin?.marginUsd).toBeCloseTo(left, 9);
  });

  it('has a line for each tier and model, and pays for hosting too', () => {
    const packs = [
      { price: 5, credits: 100 },
      { price: 20, credits: 500 },
    ];
    const options = { fee: stripeFees.us, usdRate: 1, tierCredits, modelIds: [flash, banana] };
    const at1K = { ...options, resolution: '1K' } as const;
    const margins = computeMargins(packs, { ...at1K, otherUsd: 0 });
    expect(margins).toHaveLength(2 * 3 * 2);
    const dearer = computeMargins(packs, { ...at1K, otherUsd: 0.01 });
    expect(margins.map(({ marginUsd }, i) => marginUsd - (dearer[i]?.marginUsd ?? 0))).toEqual(
      margins.map(() => expect.closeTo(0.01, 9)),
    );
    expect(formatMargins(margins, 'USD')).toHaveLength(2 * 3);
    expect(formatMargins(margins, 'USD')[1]).toContain('standard 0.0066 (14 %)');
  });
});

describe('npm run costs', () => {
  const run = (...args: string[]) =>
    execFileSync(process.execPath, ['tools/deploy/costsMain.ts', '--images', '7200', ...args], {
      encoding: 'utf8',
      stdio: 'pipe',
    });

  it('prints what is left of each pack, and where the fee comes from', () => {
    const text = run('--packs', '5:100,20:500', '--region', 'eea', '--rate', '1.1');
    expect(text).toMatch(/Stripe: 1.5 % and 0.25 EUR for each payment, https:.*, 2026-11, NOT VERIFIED/);
    expect(text).toMatch(/5\.00 EUR for 100 credits, less a fee of 0\.33/);
    expect(text).toMatch(/gemini-nano-banana-2.1 +standard -?0\.\d{4} \(-?\d+ %\), premium2/);
    expect(text).not.toContain('gemini-3.1-flash-image ');
    expect(run()).not.toContain('Stripe');
    expect(
      run('--packs', '5:100', '--fee-percent', '6.4', '--tiers', 'standard=2,premium2=4,premium4=8'),
    ).toContain('Stripe: 6.4 % and 0.3 USD');
  });

  it.each([
    ['--packs', 'five:100'],
    ['--region', 'mars'],
    ['--rate', 'x'],
    ['--tiers', 'standard=1'],
  ])('refuses %s %s', (name, value) => {
    const packs = name === '--packs' ? [] : ['--packs', '5:100'];
    expect(() => run(...packs, name, value)).toThrow(name === '--tiers' ? 'TIER_CREDITS' : name);
  });

  it('has a source and a date for each fee', () => {
    for (const { source, asOf, percent, fixed } of Object.values(stripeFees)) {
      expect(source).toMatch(/^https:\/\/stripe\.com\//);
      expect(asOf).toMatch(/^\d{4}-\d{2}$/);
      expect(percent * fixed).toBeGreaterThan(0);
    }
  });
});
