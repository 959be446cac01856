/** Numbers, dates, durations and money in the user's locale and time zone. */

/** The language of the strings: its rules decide between singular and plural. */
const pluralRules = new Intl.PluralRules('en');
const wholeNumber = new Intl.NumberFormat();
const oneDigit = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const number = (value: number) => wholeNumber.format(value);

const percent = new Intl.NumberFormat(undefined, { style: 'percent' });

/** Formats 1.5 as `150%`. */
export const percentText = (value: number) => percent.format(value);

/** A number with one digit after the point. */
export const oneDigitText = (value: number) => oneDigit.format(value);

/** A count with its noun: `1 image`, `1,200 images`. */
export const countOf = (count: number, one: string, other = `${one}s`) =>
  `${number(count)} ${pluralRules.select(Math.abs(count)) === 'one' ? one : other}`;

export const credits = (count: number) => countOf(count, 'credit');

/** Formats an amount as `+5` or `−2`, with the true minus sign, which is as wide as a digit. */
export const signed = (amount: number) =>
  amount < 0 ? `−${number(-amount)}` : amount > 0 ? `+${number(amount)}` : '0';

/** Formats a duration as `0:07` or `1:23`. */
export function clockTime(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

const shortTime = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: 'numeric',
  minute: '2-digit',
});
const wholeTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' });
const month = new Intl.DateTimeFormat(undefined, { month: 'long', year: 'numeric' });

/** @param rfc3339 a timestamp of the functions */
export const timeText = (rfc3339: string) => shortTime.format(new Date(rfc3339));
export const wholeTimeText = (rfc3339: string) => wholeTime.format(new Date(rfc3339));
export const dayText = (rfc3339: string) => day.format(new Date(rfc3339));
/** @param at milliseconds since 1970 */
export const timeOfDayText = (at: number) => time.format(at);
export const weekdayText = (at: number) => weekday.format(at);
export const monthText = (at: number) => month.format(at);

/** Formats a file size as `1.2 MB` or `12 kB`. */
export const sizeText = (bytes: number) =>
  bytes < 1e6 ? `${number(Math.max(1, Math.round(bytes / 1e3)))} kB` : `${oneDigit.format(bytes / 1e6)} MB`;

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
