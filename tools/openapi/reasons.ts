/** What each reason of an error means to a client, and which function may answer with it. */
import type { Reason } from '../../shared/errors.ts';

type Meaning = {
  /** When it happens, as the rest of a sentence whose subject is the request. */
  when: string;
  /** Facts in `metadata` beside `retry`. */
  metadata?: Record<string, string>;
  /** Whether the answer says how long to wait: RetryInfo and a Retry-After header; not in every case, if 'maybe'. */
  waits?: true | 'maybe';
  /** Whether it may end a generation that was debited: refunded then, so its `retry` is `new_key`. */
  refunds?: true;
};

const generationId = 'The generation that the key belongs to.';

export const meanings: Record<Reason, Meaning> = {
  INVALID_REQUEST: {
    when: 'The body, a header or the query does not parse. A BadRequest detail names each field.',
  },
  UNAUTHENTICATED: { when: 'There is no token, or it is not valid, or has expired.' },
  INSUFFICIENT_CREDITS: {
    when: 'The account has fewer credits than this takes. Also a grant that would bring it below zero.',
    metadata: { required: 'Credits this takes.', balance: 'Credits the account has.' },
  },
  FORBIDDEN: { when: 'The caller is known, but is not an admin, or not the scheduler.' },
  ACCOUNT_SUSPENDED: { when: 'An admin has suspended the account.' },
  NOT_FOUND: {
    when: 'There is no such thing, or it belongs to somebody else. Also a path that is no function.',
    refunds: true,
  },
  METHOD_NOT_ALLOWED: { when: 'The function takes another method. The `Allow` header says which.' },
  IN_PROGRESS: {
    when: 'The generation of this key is still being painted.',
    metadata: { generationId },
    waits: true,
  },
  ACCOUNT_INVALID: {
    when: 'The console holds a balance that is no whole number of 0 or more. An admin has to mend it.',
    metadata: { field: '`balance` or `adjust`: what has to be mended.' },
  },
  EXPIRED: { when: 'It was not finished by its deadline. Its credits are back.' },
  DELETED: { when: 'Its user has deleted it. It is never painted again.', metadata: { generationId } },
  TOO_LARGE: {
    when: 'The body is over the limit of this function.',
    metadata: { bytesMax: 'The limit, bytes.' },
  },
  IDEMPOTENCY_KEY_REUSED: {
    when: 'The same Idempotency-Key came with another body before.',
    metadata: { generationId },
  },
  CONTENT_BLOCKED: {
    when: 'The model would not paint this. The prompt has to change.',
    metadata: { finishReason: 'Why the model stopped, in its own word.' },
    refunds: true,
  },
  RATE_LIMITED: {
    when: 'The user has too many images under way, or asked for too many within a minute.',
    metadata: { limit: 'Which of the `limits` of `account` it is.' },
    waits: true,
  },
  INTERNAL: { when: 'Something went wrong on our side. Only the log has the cause.', refunds: true },
  PROVIDER_MISCONFIGURED: {
    when: 'Painting or storing images is not set up correctly on our side.',
    refunds: true,
  },
  PROVIDER_ERROR: { when: 'The model failed.', refunds: true },
  NO_IMAGE: {
    when: 'The model answered without an image.',
    metadata: { finishReason: 'Why the model stopped, in its own word.' },
    refunds: true,
  },
  STORAGE_ERROR: { when: 'The image could not be stored, or a stored one not be read.', refunds: true },
  PROVIDER_QUOTA: {
    when: 'Every model is used up for now. Asked again before its quota is back, nothing is debited.',
    waits: 'maybe',
    refunds: true,
  },
  PROVIDER_OVERLOADED: { when: 'Every model is overloaded.', waits: true, refunds: true },
  SPEND_CEILING: { when: 'What may be spent on models in a day is spent.', waits: true },
  DATABASE_UNAVAILABLE: {
    when: 'The database did not answer in time, so it is not known whether anything was written. The same key is safe.',
    waits: true,
  },
  SHUTTING_DOWN: { when: 'The server is being replaced.', waits: true, refunds: true },
  PROVIDER_TIMEOUT: { when: 'The model or the image store took too long.', refunds: true },
};

/** Any function, whoever calls it. */
export const always: Reason[] = ['INVALID_REQUEST', 'INTERNAL', 'SHUTTING_DOWN'];

/** What a function answers beside what its method and its caller imply. */
export const ownReasons: Record<string, Reason[]> = {
  health: [],
  account: ['ACCOUNT_INVALID', 'DATABASE_UNAVAILABLE'],
  ledger: ['DATABASE_UNAVAILABLE'],
  enhance: [],
  generate: [
    'INSUFFICIENT_CREDITS',
    'ACCOUNT_SUSPENDED',
    'NOT_FOUND',
    'IN_PROGRESS',
    'ACCOUNT_INVALID',
    'EXPIRED',
    'DELETED',
    'IDEMPOTENCY_KEY_REUSED',
    'CONTENT_BLOCKED',
    'RATE_LIMITED',
    'PROVIDER_MISCONFIGURED',
    'PROVIDER_ERROR',
    'NO_IMAGE',
    'STORAGE_ERROR',
    'PROVIDER_QUOTA',
    'PROVIDER_OVERLOADED',
    'SPEND_CEILING',
    'DATABASE_UNAVAILABLE',
    'PROVIDER_TIMEOUT',
  ],
  generation: ['NOT_FOUND', 'DATABASE_UNAVAILABLE'],
  gallery: ['DATABASE_UNAVAILABLE'],
  deleteGeneration: ['NOT_FOUND', 'IN_PROGRESS', 'DATABASE_UNAVAILABLE'],
  grant: [
    'INSUFFICIENT_CREDITS',
    'NOT_FOUND',
    'ACCOUNT_INVALID',
    'IDEMPOTENCY_KEY_REUSED',
    'DATABASE_UNAVAILABLE',
  ],
  audit: ['NOT_FOUND', 'DATABASE_UNAVAILABLE'],
  checkQuota: ['DATABASE_UNAVAILABLE'],
  refillAllowances: ['DATABASE_UNAVAILABLE'],
  sweepHolds: ['DATABASE_UNAVAILABLE'],
  reconcile: ['DATABASE_UNAVAILABLE'],
};
