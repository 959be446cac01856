/** Prices in the format of each currency. */
import { expect, test } from 'vitest';
import { partPriceText, priceText } from '../../web/strings/format.ts';

/** Intl separates a currency code from its amount by a space that does not break. */
const plain = (text: string) => text.replaceAll('\u00a0', ' ');

test.each([
  [500, 'usd', '$5.00'],
  [999, 'eur', '€9.99'],
  [500, 'jpy', '¥500'],
  [5000, 'krw', '₩5,000'],
  [2500, 'kwd', 'KWD 2.500'],
  // Stripe counts these in hundredths, although they have none.
  [500_00, 'isk', 'ISK 500'],
  [18_500_00, 'ugx', 'UGX 18,500'],
])('%i of %s is %s', (amount, currency, text) => {
  expect(plain(priceText(amount, currency, 'en-US'))).toBe(text);
});

test.each([
  [5, 'usd', '$0.05'],
  [3.5, 'usd', '$0.035'],
  [142.7, 'eur', '€1.43'],
  [3.27, 'jpy', '¥3.3'],
  [5, 'jpy', '¥5'],
  [50, 'jpy', '¥50'],
])('%d of %s, a part of a price, is %s', (amount, currency, text) => {
  expect(partPriceText(amount, currency, 'en-US')).toBe(text);
});
