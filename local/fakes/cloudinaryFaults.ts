import { type Reply, type WireFault, wireFault } from './server.ts';

/** A fault for the next call with this action. Without `action`, it applies to an upload or a destroy. */
export type CloudinaryStep = { action?: 'upload' | 'destroy' | 'deliver' } & WireFault;

/** Cloudinary's error: the message is in the body, and in a header too. */
export const cloudinaryError = (
  status: number,
  message: string,
  headers: Record<string, string> = {},
): Reply => ({
  status,
  headers: { 'x-cld-error': message.replace(/[^\x20-\x7e]/g, '?'), ...headers },
  body: { error: { message } },
});

const toReplyStep = (reply: Reply) => ({ kind: 'reply', ...reply }) as const;

const statusMessages = {
  400: 'Invalid image file',
  401: "Invalid Signature 0000000000000000000000000000000000000000. String to sign - 'timestamp=1'.",
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Request Timeout',
  413: 'Request Entity Too Large',
  423: 'Resource is being processed, please try again later',
  429: 'Too Many Requests',
  500: 'General Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
} as const;

/** Steps for `script` and `always`. `{...step, afterWork: true}` does the work and loses only the answer. */
export const cloudinaryFault = {
  ...wireFault,
  error: (
    status: keyof typeof statusMessages,
    message: string = statusMessages[status],
    headers: Record<string, string> = {},
  ) => toReplyStep(cloudinaryError(status, message, headers)),
  /** 420: the hourly limit of calls, which ends at `resetsAt`. */
  rateLimited: (resetsAt = new Date('2030-01-01T01:00:00Z')) =>
    toReplyStep(
      cloudinaryError(
        420,
        `Rate Limit Exceeded. Limit of 500 api operations reached. Try again on ${resetsAt.toISOString().replace('T', ' ').slice(0, 19)} UTC`,
        {
          'x-featureratelimit-limit': '500',
          'x-featureratelimit-remaining': '0',
          'x-featureratelimit-reset': resetsAt.toUTCString(),
        },
      ),
    ),
  /** 400: the caller's clock is more than an hour slow. The fake itself refuses such a timestamp, too. */
  staleRequest: () =>
    toReplyStep(
      cloudinaryError(
        400,
        'Stale request - reported time is 2026-11-25 10:00:00 +0000 which is more than 1 hour ago',
      ),
    ),
  /** 400: the image is larger than the plan allows. Free plans take 10 MB. */
  fileTooLarge: (bytes = 12_582_912, bytesMax = 10_485_760) =>
    toReplyStep(cloudinaryError(400, `File size too large. Got ${bytes}. Maximum is ${bytesMax}.`)),
  /** 401: Cloudinary has disabled the account. */
  accountDisabled: () => toReplyStep(cloudinaryError(401, 'cloud_name is disabled')),
  /** Stores the image, then breaks the connection. */
  storedThenReset: (when: 'before-headers' | 'after-headers' = 'before-headers') =>
    ({ ...wireFault.reset(when), afterWork: true }) as const,
};
