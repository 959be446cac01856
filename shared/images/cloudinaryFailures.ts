/**
 * Maps failed calls of Cloudinary to our reasons, and to codes for the log. Nothing of its text is kept: it may quote
 * the string to sign, the API key or what was sent.
 */
import { Failure, type FailureDetails } from '../errors.ts';

/** What a response says beside its body. The SDK drops all of it, and the body too for 403, 409, 413, 502 and 503. */
export type Received = { status?: number | undefined; headers?: Record<string, string | undefined> };

/** The codes that the log tells apart, each with what to do about it. docs/deployment/operations.md lists them. */
export const storeFaults = {
  bad_signature: 'check the API secret in CLOUDINARY_URL',
  unknown_api_key: 'check the API key in CLOUDINARY_URL',
  unknown_cloud_name:
    'check the cloud name in CLOUDINARY_URL; an account in Europe or Asia also needs its upload_prefix',
  account_disabled: 'pay the bill or choose a larger plan in the console of Cloudinary',
  plan_used_up: 'choose a larger plan in the console of Cloudinary',
  region_refused: 'deploy in another region, or ask Cloudinary',
  no_permission: 'give the API key the right to upload and delete in the console of Cloudinary',
  stale_request: 'set the clock of this machine',
  too_large: 'choose a plan that takes larger images, or a model that makes smaller ones',
  not_an_image: 'look at what the model returned',
  rate_limited: 'wait, or choose a plan with more calls an hour',
  not_found: 'look for the image in the console of Cloudinary; somebody may have deleted it',
  busy: 'wait',
  unavailable: 'see status.cloudinary.com',
  unreadable_answer:
    'check that upload_prefix in CLOUDINARY_URL names Cloudinary, and see status.cloudinary.com',
  other_image: 'check that upload_prefix in CLOUDINARY_URL names Cloudinary',
  insecure_address: 'check that upload_prefix in CLOUDINARY_URL names Cloudinary',
  foreign_address: 'check the cloud name in CLOUDINARY_URL; the image is in another store',
  timeout: 'see status.cloudinary.com',
} as const;
type StoreFault = keyof typeof storeFaults;

/**
 * How Cloudinary words a fault. The wordings of `plan_used_up`, `region_refused` and `no_permission` are not documented,
 * so their patterns are wide.
 */
const messages: readonly [RegExp, StoreFault][] = [
  [/^Invalid Signature/i, 'bad_signature'],
  [/^(Unknown|Invalid) api[ _]key|^Must supply api_key/i, 'unknown_api_key'],
  [/^(Invalid|Unknown) cloud[ _]name|cloud_name mismatch/i, 'unknown_cloud_name'],
  [
    /(cloud_name|account) (is|has been|was) (disabled|blocked|suspended)|disabled account/i,
    'account_disabled',
  ],
  [/^Stale request/i, 'stale_request'],
  [/^(File|Image|Video) size too large|^Maximum image size|^Image is too large/i, 'too_large'],
  [/^Rate Limit Exceeded|too many concurrent/i, 'rate_limited'],
  [/(exceed|reached|over).{0,40}\b(quota|plan|credits)\b/i, 'plan_used_up'],
  [/\b(region|country|location)\b.{0,40}not (supported|available|allowed)/i, 'region_refused'],
  [/not (supported|available|allowed).{0,40}\b(region|country|location)\b/i, 'region_refused'],
  [/permission/i, 'no_permission'],
  [/^Invalid image file|^Unsupported|^Empty file/i, 'not_an_image'],
  [/^Resource not found/i, 'not_found'],
  [/^Server return invalid JSON/, 'unreadable_answer'],
];

const statuses: Readonly<Record<number, StoreFault>> = {
  404: 'not_found',
  408: 'timeout',
  413: 'too_large',
  420: 'rate_limited',
  423: 'busy',
  429: 'rate_limited',
};

/** In use, timed out, and too many calls at once. The hourly limit of calls is a 420, which stays. */
const passingStatuses = [408, 423, 429];

/** Longest wait to pass on to a client, seconds. The limit of calls is per hour. */
const retryAfterSecondsMax = 3_600;

/** What a failed call was to do, in the words of its message. */
const sentences = {
  store: 'The image could not be stored.',
  fetch: 'A stored image could not be read.',
  destroy: 'The image could not be deleted.',
};
export type StoreCall = keyof typeof sentences;

/** A failed call to the upload API. A broken connection or answer and a 5xx may pass; most of 4xx stay. */
export function toUploadFailure(call: StoreCall, error: unknown, received: Received, now: number): Failure {
  const failure = toStorageFailure(call, error, received, now);
  const { status, fault, sizes } = describeError(error, received);
  if (status === 401 || status === 403) return misconfiguredStore(failure.details.cause);
  if (fault === 'too_large') return toTooLarge(failure, sizes);
  const mayPass = status === undefined || status < 400 || status >= 500 || passingStatuses.includes(status);
  return mayPass ? toPassing(failure) : failure;
}

/**
 * A failure that says how long Cloudinary wants us to wait, if it does.
 * @param now milliseconds since 1970.
 */
export function toStorageFailure(call: StoreCall, error: unknown, received: Received, now: number): Failure {
  const { status, network, fault } = describeError(error, received);
  const retryAfterSeconds = parseRetryAfter(received, now);
  const cause = toCause([status, network], fault);
  return storageFailure(call, cause, { ...(retryAfterSeconds && { retryAfterSeconds }) });
}

/** The same failure of an upload, with the sizes that Cloudinary names, if it does. */
function toTooLarge(
  { details }: Failure,
  { bytes, maxBytes }: { bytes?: number; maxBytes?: number },
): Failure {
  const [size, most] = [bytes, maxBytes].map((each) => each && `${Number((each / 1e6).toFixed(1))} MB`);
  const message =
    size && most
      ? `The image has ${size}, and the image store takes at most ${most}. Choose a lower resolution.`
      : 'The image is too large for the image store. Choose a lower resolution.';
  return new Failure('STORAGE_ERROR', message, {
    cause: details.cause,
    providerFailure: { kind: 'tooLarge' },
    ...(maxBytes && { metadata: { maxBytes: String(maxBytes) } }),
  });
}

/** The failure of a call that Cloudinary answered, but not as it should. */
export const toFaultyAnswer = (call: StoreCall, fault: StoreFault): Failure =>
  storageFailure(call, toCause([], fault));

/** The same failure, after which the same call may succeed. */
export const toPassing = (failure: Failure): Failure =>
  failure.with({ providerFailure: { kind: 'passing' } });

export const misconfiguredStore = (cause: unknown): Failure =>
  new Failure('PROVIDER_MISCONFIGURED', 'Storing images is not set up correctly on our side.', { cause });

export const timeoutFailure = (): Failure =>
  new Failure('PROVIDER_TIMEOUT', 'The image store took too long.', { cause: toCause([], 'timeout') });

const storageFailure = (call: StoreCall, cause: Error, details: Omit<FailureDetails, 'metadata'> = {}) =>
  new Failure('STORAGE_ERROR', sentences[call], { cause, ...details });

function toCause(codes: (string | number | undefined)[], fault: StoreFault | undefined): Error {
  const words = [...codes, fault].filter((word) => word !== undefined).join(' ') || 'unknown';
  return new Error(`Cloudinary failed: ${words}${fault ? ` (${storeFaults[fault]})` : ''}`);
}

/** What is known of an error of the SDK or of `fetch`: the status, the network error's code in Node.js, and our code. */
function describeError(error: unknown, received: Received) {
  const outer = error as { error?: unknown } | null;
  const { http_code, code, cause, message } = (outer?.error ?? outer ?? {}) as Record<string, unknown>;
  const status = typeof http_code === 'number' ? http_code : received.status;
  const networkCode = code ?? (cause as { code?: unknown } | undefined)?.code;
  const network =
    typeof networkCode === 'string' && /^[A-Z_]{3,40}$/.test(networkCode) ? networkCode : undefined;
  const texts = [message, received.headers?.['x-cld-error']].filter((text) => typeof text === 'string');
  const recognised = messages.find(([pattern]) => texts.some((text) => pattern.test(text)))?.[1];
  const byStatus = status !== undefined && status >= 500 ? 'unavailable' : statuses[status ?? 0];
  const fault: StoreFault | undefined = recognised ?? byStatus;
  return { status, network, fault, sizes: parseSizes(texts) };
}

/** The size of the file and the most that the plan allows, from "File size too large. Got 10. Maximum is 5." */
function parseSizes(texts: readonly string[]): { bytes?: number; maxBytes?: number } {
  for (const text of texts) {
    const [, bytes, maxBytes] = /\bGot (\d{1,15})\. Maximum is (\d{1,15})\b/.exec(text) ?? [];
    if (maxBytes) return { bytes: Number(bytes), maxBytes: Number(maxBytes) };
  }
  return {};
}

/** Whole seconds until the time in `Retry-After`, or until Cloudinary's limit of calls ends; undefined if neither is known. */
function parseRetryAfter({ headers = {} }: Received, now: number): number | undefined {
  for (const name of ['retry-after', 'x-featureratelimit-reset']) {
    const value = headers[name]?.trim() ?? '';
    const seconds = /^\d{1,9}$/.test(value) ? Number(value) : (Date.parse(value) - now) / 1000;
    if (seconds > 0) return Math.min(Math.ceil(seconds), retryAfterSecondsMax);
  }
  return undefined;
}
