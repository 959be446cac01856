/**
 * Stand-ins for what differs from run to run, so that examples can be compared. Ids of generations and
 * grants need none: they are hashes of who asked and of the key.
 *
 * | what | stands for it |
 * |-|-|
 * | a time | noon of 31 January 2026; the midnight after it where the field lies ahead (`retryAt`, `nextAt`) |
 * | a random UUID (in an image's address) | zeros |
 * | the image store's address and version | Cloudinary's own, and the same noon |
 * | an image's size in bytes | one that is plausible |
 * | seconds to wait, where the time of day decides | 30 for the minute's limit, 21600 for a day's |
 */

import { errorAnswerSchema } from '../../shared/contract.ts';
import type { Example } from '../../tools/openapi/examples.ts';

const now = '2026-01-31T12:00:00.000Z';
const ahead = '2026-02-01T00:00:00.000Z';
const uuid = '00000000-0000-4000-8000-000000000000';

const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

/** Seconds to wait, by the reason of an error. */
const waits: Record<string, number> = { RATE_LIMITED: 30, PROVIDER_QUOTA: 21_600, SPEND_CEILING: 21_600 };

/** An answer as it is shown. */
export function normalise({ headers, body, ...answer }: Example['response']): Example['response'] {
  const error = errorAnswerSchema.safeParse(body).data?.error;
  const wait = waits[String(error?.details[0]?.reason)];
  return {
    ...answer,
    headers: wait && 'Retry-After' in headers ? { ...headers, 'Retry-After': String(wait) } : headers,
    body: stable(body, '', wait),
  };
}

/** @param field under which the value stands, where it is a field's. */
function stable(value: unknown, field: string, wait?: number): unknown {
  if (Array.isArray(value)) return value.map((one) => stable(one, '', wait));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, stable(one, name, wait)]));
  }
  if (typeof value === 'number') return field === 'bytes' ? 528_181 : value;
  if (typeof value !== 'string') return value;
  if (field === 'retryDelay' && wait) return `${wait}s`;
  if (field === 'nextPageToken') return pageTokenOf(value);
  return value
    .replace(time, field === 'retryAt' || field === 'nextAt' ? ahead : now)
    .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, uuid)
    .replace(/^http:\/\/127\.0\.0\.1:\d+\//, 'https://res.cloudinary.com/')
    .replace(/\/v\d{10}\//, `/v${Date.parse(now) / 1000}/`);
}

/** A page token of the gallery is where the page ended, and that names a time. */
function pageTokenOf(token: string): string {
  const text = Buffer.from(token, 'base64url').toString();
  return Buffer.from(text.replace(time, now)).toString('base64url');
}
