/**
 * Replaces values that vary from run to run, so that examples can be compared. Ids of generations and grants stay: they
 * are hashes of the caller and the key.
 *
 * | value | replacement |
 * |-|-|
 * | a time, also at the end of an id | noon of 31 January 2026; the next midnight in fields about the future (`retryAt`, `nextAt`) |
 * | a random UUID (in the address of an image) | zeros |
 * | the address of the image store and the version in it | Cloudinary's own address, and the same noon |
 * | the address of the fake of Stripe | Stripe's own addresses |
 * | the size of an image in bytes | a plausible one |
 * | the token of a shared image, and the id of its report | made-up ones |
 * | seconds to wait that depend on the time of day | 30 for the limit per minute, 21600 for limits per day |
 */

import { errorAnswerSchema } from '../../shared/contract.ts';
import type { Example } from '../../tools/openapi/examples.ts';

const now = '2026-01-31T12:00:00.000Z';
const future = '2026-02-01T00:00:00.000Z';
const uuid = '00000000-0000-4000-8000-000000000000';
/** The token of a shared image and the id of a report, in requests, too. */
export const shownToken = 'c2hhcmVkLWltYWdlLTAwMQ';
export const shownReportId = '3f8a1c5d9e2b4f60a7c8d1e2f3a4b5c6';

const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

/** Seconds to wait, by the reason of an error. */
const waitSeconds: Record<string, number> = {
  RATE_LIMITED: 30,
  PROVIDER_QUOTA: 21_600,
  SPEND_CEILING: 21_600,
};

/** The answer as the example shows it. */
export function normalise({ headers, body, ...answer }: Example['response']): Example['response'] {
  const error = errorAnswerSchema.safeParse(body).data?.error;
  const wait = waitSeconds[String(error?.details[0]?.reason)];
  return {
    ...answer,
    headers: wait && 'Retry-After' in headers ? { ...headers, 'Retry-After': String(wait) } : headers,
    body: replaceValues(body, '', wait),
  };
}

/** @param field the name of the field that has the value. Empty for an item of a list and for the whole body. */
function replaceValues(value: unknown, field: string, wait?: number): unknown {
  if (Array.isArray(value)) return value.map((item) => replaceValues(item, '', wait));
  if (typeof value === 'object' && value !== null) {
    const isReport = 'token' in value && 'id' in value;
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        name,
        isReport && name === 'id' ? shownReportId : replaceValues(inner, name, wait),
      ]),
    );
  }
  if (typeof value === 'number') return field === 'bytes' ? 528_181 : value;
  if (typeof value !== 'string') return value;
  if (field === 'retryDelay' && wait) return `${wait}s`;
  if (field === 'token') return shownToken;
  if (field === 'nextPageToken') return normalisePageToken(value);
  return value
    .replace(time, field === 'retryAt' || field === 'nextAt' ? future : now)
    .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, uuid)
    .replace(/^http:\/\/127\.0\.0\.1:\d+\/(?=c\/pay\/)/, 'https://checkout.stripe.com/')
    .replace(/^http:\/\/127\.0\.0\.1:\d+\/(?=p\/session\/)/, 'https://billing.stripe.com/')
    .replace(/http:\/\/127\.0\.0\.1:\d+\//g, 'https://res.cloudinary.com/')
    .replace(/\/(i|shares|report)\/[\w-]{22}/g, `/$1/${shownToken}`)
    .replace(/^resolveReport:[\da-f]{32}/, `resolveReport:${shownReportId}`)
    .replace(/:\d{13}$/, `:${Date.parse(now)}`)
    .replace(/\/v\d{10}\//g, `/v${Date.parse(now) / 1000}/`);
}

/** A page token of the gallery says where the page ended, and contains a time. */
function normalisePageToken(token: string): string {
  const text = Buffer.from(token, 'base64url').toString();
  return Buffer.from(text.replace(time, now)).toString('base64url');
}
