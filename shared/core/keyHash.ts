import { createHash } from 'node:crypto';

/** A hash of an Idempotency-Key, for log lines and the ids of documents. */
export const hashIdempotencyKey = (key: string) =>
  createHash('sha256')
    .update(JSON.stringify([key]))
    .digest('hex')
    .slice(0, 32);
