/**
 * The closed set of reasons why a request fails, and everything about each of them: the errors, the API reference
 * and the client guide are made from this table. `npm run api` writes the documents again after a change.
 *
 * The reasons follow Google's API error model (google.rpc.Status with ErrorInfo details).
 */
import type { Retry } from './contract/errors.ts';

/** The texts are Markdown for the documents; no answer of a function has them, except `message`. */
type ReasonRow = {
  httpStatus: number;
  /** The google.rpc.Code. */
  status: string;
  /** What `metadata.retry` says unless the thrower says otherwise. */
  retry: Retry;
  /** Whether the answer says how long to wait, in `Retry-After` and RetryInfo. Left out if it never does. */
  retryAfter?: 'always' | 'sometimes';
  /** True if a generation can fail with it after its debit. It is then refunded, and `retry` is `new_key`. */
  afterDebit?: true;
  /** True if the same request fails again even with a new key: `retry` stays as it is after a debit, too. */
  isLasting?: true;
  /** The message without anything about the one request. A failure has it once its details are erased. */
  message?: string;
  /** When a request fails with this reason. */
  when: string;
  /** What a client tells the user. */
  tell: string;
  /** What a client does. */
  action: string;
  /** The fields that `metadata` always has beside `retry`, with their meaning. */
  metadata?: Record<string, string>;
  /** The fields that `metadata` has in some cases. */
  optionalMetadata?: Record<string, string>;
};

const somethingWrong = '"Something went wrong."';
const noModel = '"No images can be made at the moment."';
const modelDown = '"The image model does not respond at the moment."';
const followRetry = 'Follow `retry`.';
const contactSupport = 'Show how to reach support. Nothing was charged.';
const showWait = 'Show when it will be possible again, if `retryAfterMs` is known.';
const supportEmail = 'The e-mail address of support, if the studio has one.';
const finishReason = 'Why the model stopped, in the term of its provider.';

export const reasons = {
  INVALID_REQUEST: {
    httpStatus: 400,
    status: 'INVALID_ARGUMENT',
    retry: 'no',
    when: 'The body, a header or the query is not valid. A BadRequest detail names each field.',
    tell: 'What is wrong, beside each field.',
    action: '`fieldViolations` names the fields. Correct them and send the request with a new key.',
  },
  UNAUTHENTICATED: {
    httpStatus: 401,
    status: 'UNAUTHENTICATED',
    retry: 'no',
    when: 'The token is missing, not valid or expired.',
    tell: '"Please sign in again."',
    action: 'Sign in, then send the same request with the same key.',
  },
  INSUFFICIENT_CREDITS: {
    httpStatus: 402,
    status: 'FAILED_PRECONDITION',
    retry: 'no',
    when: 'The account has fewer credits than the request costs, or than a negative grant would take.',
    tell: '"This costs 4 credits. You have 1."',
    action: 'Read `metadata.required` and `metadata.balance`. Offer a smaller size, or more credits.',
    metadata: { required: 'The credits that the request needs.', balance: 'The credits in the account.' },
  },
  FORBIDDEN: {
    httpStatus: 403,
    status: 'PERMISSION_DENIED',
    retry: 'no',
    when: 'The caller is signed in, but is not an admin or not the scheduler.',
    tell: '"Only admins can do this."',
    action: 'Hide the control that led here.',
  },
  ACCOUNT_SUSPENDED: {
    httpStatus: 403,
    status: 'PERMISSION_DENIED',
    retry: 'no',
    when: 'An admin suspended the account, or a payment was disputed.',
    tell: '"Your account is suspended."',
    action: contactSupport,
    optionalMetadata: { supportEmail },
  },
  TERMS_NOT_ACCEPTED: {
    httpStatus: 403,
    status: 'PERMISSION_DENIED',
    retry: 'no',
    when: 'The studio has terms, and the user has not accepted their current version.',
    tell: '"Please accept the terms first."',
    action:
      'Show the links in the `terms` of `account`, and ask. After `acceptTerms`, send the same request with the same key.',
    metadata: { version: 'The version to accept.' },
  },
  EMAIL_NOT_VERIFIED: {
    httpStatus: 403,
    status: 'PERMISSION_DENIED',
    retry: 'no',
    when: 'The user is anonymous, or the e-mail address is not verified, and the account has no credits.',
    tell: '"Please verify your e-mail address first."',
    action: 'Offer to send the verification e-mail again. An anonymous user has to sign in.',
  },
  SIGN_IN_AGAIN: {
    httpStatus: 403,
    status: 'PERMISSION_DENIED',
    retry: 'no',
    when: 'The user wants to close the account, and signed in more than 5 minutes ago.',
    tell: '"Please sign in again first."',
    action: 'Let the user sign in again, get a new token, and send the same request.',
  },
  NOT_FOUND: {
    httpStatus: 404,
    status: 'NOT_FOUND',
    retry: 'no',
    afterDebit: true,
    when: 'The resource does not exist or belongs to another user, or no function has this path.',
    tell: '"This image does not exist."',
    action: 'Remove the image from the list.',
  },
  METHOD_NOT_ALLOWED: {
    httpStatus: 405,
    status: 'UNIMPLEMENTED',
    retry: 'no',
    when: 'The function does not accept this HTTP method. The `Allow` header names the right one.',
    tell: somethingWrong,
    action: 'Fix the app: it sends the wrong method.',
  },
  IN_PROGRESS: {
    httpStatus: 409,
    status: 'ABORTED',
    retry: 'same_key',
    retryAfter: 'always',
    when: 'The generation with this key, or the one to delete, is still running.',
    tell: '"Still generating …"',
    action: 'Keep waiting. After a delete: "Wait until the image is finished."',
    metadata: { generationId: 'The generation that is running.' },
  },
  ACCOUNT_INVALID: {
    httpStatus: 409,
    status: 'FAILED_PRECONDITION',
    retry: 'no',
    when: 'The console has a `balance` or `adjust` that is not a whole number, or that takes the balance below 0 or above its maximum, or a `sequence` that does not fit the entries. Or the record of the generation cannot be read. An admin has to correct it.',
    tell: '"We have to correct something in your account."',
    action: 'Show how to reach support. This call charged nothing.',
    metadata: {
      field:
        'What to correct: `balance`, `adjust` or `sequence`; or `generations`, for the record of a generation.',
    },
    optionalMetadata: { supportEmail, generationId: 'The generation, if `field` is `generations`.' },
  },
  ACCOUNT_CLOSED: {
    httpStatus: 409,
    status: 'FAILED_PRECONDITION',
    retry: 'no',
    when: 'The account is closed, or is being closed.',
    tell: '"This account is closed."',
    action: 'Sign the user out.',
    optionalMetadata: { supportEmail },
  },
  EXPIRED: {
    httpStatus: 410,
    status: 'ABORTED',
    retry: 'new_key',
    when: 'The generation did not finish by its deadline. Its credits were refunded.',
    tell: '"It took too long. Your credits are back."',
    action: 'Offer "Try again", with a new key.',
  },
  DELETED: {
    httpStatus: 410,
    status: 'ABORTED',
    retry: 'no',
    when: 'The user deleted the generation, or the studio removed it. Its key never makes another image.',
    tell: '"You deleted this image."',
    action: 'Remove the image from the list.',
    optionalMetadata: { generationId: 'The generation that was deleted.' },
  },
  TOO_LARGE: {
    httpStatus: 413,
    status: 'INVALID_ARGUMENT',
    retry: 'no',
    when: 'The body is larger than the limit of the function, or the headers are too long.',
    tell: '"The reference images are too large."',
    action: 'Read the maximum in the `limits` of `account`.',
    optionalMetadata: { bytesMax: 'The limit of the body, in bytes.' },
  },
  IDEMPOTENCY_KEY_REUSED: {
    httpStatus: 422,
    status: 'INVALID_ARGUMENT',
    retry: 'new_key',
    when: 'The same Idempotency-Key was sent before with another request.',
    tell: somethingWrong,
    action: 'Fix the app: it uses one key for two requests.',
    optionalMetadata: { generationId: 'The generation that the key belongs to.' },
  },
  CONTENT_BLOCKED: {
    httpStatus: 422,
    status: 'FAILED_PRECONDITION',
    retry: 'new_key',
    afterDebit: true,
    message: 'The model refused to generate this image. Please change the prompt.',
    when: 'The model refused to generate this image. The prompt has to change.',
    tell: '"The model refused this prompt. Your credits are back."',
    action: 'Let the user change the prompt.',
    metadata: { finishReason },
  },
  REFERENCE_UNREADABLE: {
    httpStatus: 422,
    status: 'INVALID_ARGUMENT',
    retry: 'no',
    afterDebit: true,
    isLasting: true,
    when: 'A reference image is cut off or broken, or the model cannot read it.',
    tell: '"This reference image cannot be read."',
    action: 'Mark the reference at `metadata.index`, and let the user replace it.',
    metadata: {
      index:
        'The position in `references`, from 0. The model does not say which image it cannot read: it is then 0.',
    },
  },
  RATE_LIMITED: {
    httpStatus: 429,
    status: 'RESOURCE_EXHAUSTED',
    retry: 'same_key',
    retryAfter: 'always',
    when: 'The user has too many generations in flight, or made too many calls in a minute, an hour or a day. `metadata.limit` names the limit.',
    tell: '"Too many at once. Continuing in a moment."',
    action: 'Wait, then send the request again. The client does this; `onWait` reports it.',
    metadata: {
      limit:
        'The limit: `maxInFlightPerUser` or `maxPerMinutePerUser` (in the `limits` of `account`), `maxRefundsPerHourPerUser`, `maxEnhancePerDayPerUser`, `enhancePerMinute`, `largeRefusalsPerMinute`, `paymentsPerMinute`, `readsPerMinute`, `exportsPerHour`, `sharesPerMinute`, `reportsPerMinute` or `reportsOfImagePerMinute`.',
    },
  },
  INTERNAL: {
    httpStatus: 500,
    status: 'INTERNAL',
    retry: 'same_key',
    afterDebit: true,
    when: 'Something went wrong on our side. Only the log has the cause.',
    tell: '"Something went wrong on our side."',
    action: 'Follow `retry`. Offer a button that copies `body`.',
  },
  PROVIDER_MISCONFIGURED: {
    httpStatus: 500,
    status: 'INTERNAL',
    retry: 'same_key',
    afterDebit: true,
    when: 'The image model or the image store is not set up correctly on our side.',
    tell: '"Something went wrong on our side."',
    action: 'Follow `retry`. Offer a button that copies `body`.',
  },
  PROVIDER_ERROR: {
    httpStatus: 502,
    status: 'UNAVAILABLE',
    retry: 'same_key',
    afterDebit: true,
    when: 'The image model failed.',
    tell: modelDown,
    action: followRetry,
  },
  NO_IMAGE: {
    httpStatus: 502,
    status: 'UNAVAILABLE',
    retry: 'same_key',
    afterDebit: true,
    message: 'The model returned no image.',
    when: 'The model answered without a usable image.',
    tell: '"The model made no image."',
    action: followRetry,
    optionalMetadata: { finishReason },
  },
  STORAGE_ERROR: {
    httpStatus: 502,
    status: 'UNAVAILABLE',
    retry: 'same_key',
    retryAfter: 'sometimes',
    afterDebit: true,
    when: 'The image could not be stored, or a stored image could not be read.',
    tell: '"The image could not be saved."',
    action: `${followRetry} Where \`metadata.maxBytes\` is there, offer a lower resolution.`,
    optionalMetadata: {
      maxBytes: 'The most bytes of an image that the image store takes, if the image has more.',
    },
  },
  PROVIDER_QUOTA: {
    httpStatus: 503,
    status: 'UNAVAILABLE',
    retry: 'same_key',
    retryAfter: 'sometimes',
    afterDebit: true,
    when: 'The quota of every model is used up, or the models are switched off. Until one is back, requests are refused before any debit.',
    tell: noModel,
    action: showWait,
  },
  PROVIDER_OVERLOADED: {
    httpStatus: 503,
    status: 'UNAVAILABLE',
    retry: 'same_key',
    retryAfter: 'always',
    afterDebit: true,
    when: 'Every model is overloaded.',
    tell: modelDown,
    action: followRetry,
  },
  SPEND_CEILING: {
    httpStatus: 503,
    status: 'UNAVAILABLE',
    retry: 'same_key',
    retryAfter: 'always',
    when: "The day's spending limit for models is reached.",
    tell: noModel,
    action: showWait,
  },
  AUTH_UNAVAILABLE: {
    httpStatus: 503,
    status: 'UNAVAILABLE',
    retry: 'same_key',
    retryAfter: 'always',
    when: "The caller cannot be verified for now, because Google's keys or its list of users cannot be reached. Nothing was done.",
    tell: '"We cannot check your sign-in at the moment."',
    action: 'Keep the user signed in. Wait, then send the request again with the same key.',
  },
  PAYMENTS_UNAVAILABLE: {
    httpStatus: 503,
    status: 'UNAVAILABLE',
    retry: 'same_key',
    retryAfter: 'always',
    when: 'Stripe cannot be reached, or fails. Nothing was charged.',
    tell: '"Payments are not possible at the moment."',
    action: 'Wait, then follow `retry`.',
  },
  DATABASE_UNAVAILABLE: {
    httpStatus: 503,
    status: 'UNAVAILABLE',
    retry: 'same_key',
    retryAfter: 'always',
    when: 'The database did not answer in time, so it is unknown whether anything was written. It is safe to send the request again with the same key.',
    tell: '"We do not know yet whether this worked."',
    action: 'Offer "Ask again", with the same key.',
  },
  SHUTTING_DOWN: {
    httpStatus: 503,
    status: 'UNAVAILABLE',
    retry: 'same_key',
    retryAfter: 'always',
    afterDebit: true,
    when: 'The server is shutting down.',
    tell: '"The server restarted."',
    action: followRetry,
  },
  PROVIDER_TIMEOUT: {
    httpStatus: 504,
    status: 'DEADLINE_EXCEEDED',
    retry: 'same_key',
    afterDebit: true,
    when: 'The image model or the image store took too long.',
    tell: modelDown,
    action: followRetry,
  },
} as const satisfies Record<string, ReasonRow>;

export type Reason = keyof typeof reasons;

type Table = typeof reasons;

/** The `metadata` of a reason, whose values are strings as in Google's ErrorInfo. */
type MetadataFields<R extends Reason> = (Table[R] extends { metadata: infer Required }
  ? { [Name in keyof Required]: string }
  : unknown) &
  (Table[R] extends { optionalMetadata: infer Optional } ? { [Name in keyof Optional]?: string } : unknown);

/** `metadata` is required if the reason always has some, and forbidden if it has none. */
export type ReasonMetadata<R extends Reason> = Table[R] extends { metadata: object }
  ? { metadata: MetadataFields<R> }
  : Table[R] extends { optionalMetadata: object }
    ? { metadata?: MetadataFields<R> }
    : { metadata?: never };

/** A row whose optional columns can be read for any reason. */
export const getReasonRow = (reason: Reason): ReasonRow => reasons[reason];
