/** Prices: amounts in Stripe's smallest units, in the format of the user's locale. */

/** Currencies without a smaller unit, and those with 1000 smaller units. Source: docs.stripe.com/currencies. */
const wholeCurrencies = 'bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' ');
const thousandthCurrencies = 'bhd jod kwd omr tnd'.split(' ');

/** The amount in the currency's main unit. Stripe counts ISK and UGX in hundredths, although they have none. */
function toMainUnit(amount: number, currency: string): number {
  if (wholeCurrencies.includes(currency)) return amount;
  return amount / (thousandthCurrencies.includes(currency) ? 1000 : 100);
}

/**
 * Formats `500 usd` as `$5.00`, `500 jpy` as `¥500`.
 * @param currency the ISO 4217 code, in lower case
 * @param locale the user's by default
 */
export function priceText(amount: number, currency: string, locale?: string): string {
  return new Intl.NumberFormat(locale, { style: 'currency', currency }).format(toMainUnit(amount, currency));
}

/** Like `priceText`, for a part of a price: a small one has one more digit, such as `$0.035`. */
export function partPriceText(amount: number, currency: string, locale?: string): string {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  const value = toMainUnit(amount, currency);
  if (value * 10 ** digits >= 10) return format.format(value);
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits + 1,
  }).format(value);
}
