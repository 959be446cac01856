import { type Reply, type WireFault, wireFault } from './server.ts';

/** A part of an answer as it stands on the wire. */
export type Part = {
  text?: string;
  thought?: boolean;
  thoughtSignature?: string;
  inlineData?: { mimeType: string; data: string };
};

/**
 * What the next request meets. `model` keeps the step for requests to that model. Beside the faults of
 * any service: `answer`, a 200 with this body, to which the stand-in adds usage, model and id; and
 * `drafts`, which paints normally but puts drafts marked `thought` and a comment before the picture.
 */
export type GeminiStep = { model?: string } & (
  | WireFault
  | { kind: 'answer'; body: object }
  | { kind: 'drafts'; count: number }
);

type Detail = { '@type': string } & Record<string, unknown>;

/** Google's error body. */
export function googleError(
  code: number,
  status: string,
  message: string,
  details?: readonly Detail[],
): Reply {
  return { status: code, body: { error: { code, message, status, ...(details ? { details } : {}) } } };
}

export const apiKeyInvalid = (): Reply =>
  googleError(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'API_KEY_INVALID',
      domain: 'googleapis.com',
      metadata: { service: 'generativelanguage.googleapis.com' },
    },
    {
      '@type': 'type.googleapis.com/google.rpc.LocalizedMessage',
      locale: 'en-US',
      message: 'API key not valid. Please pass a valid API key.',
    },
  ]);

export const modelNotFound = (model: string, version = 'v1beta'): Reply =>
  googleError(
    404,
    'NOT_FOUND',
    `models/${model} is not found for API version ${version}, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.`,
  );

export const modelRetired = (model: string): Reply =>
  googleError(
    404,
    'NOT_FOUND',
    `This model models/${model} is no longer available. Please update your code to use a newer model for the latest features and improvements.`,
  );

const toReplyStep = (reply: Reply) => ({ kind: 'reply', ...reply }) as const;

type Quota = { quotaId: string; retrySeconds: number; limit: number; quotaModel: string };

/** A 429 with Google's details. `quotaModel` is the model it names, which may not be the one asked for. */
function quotaExceeded({ quotaId, retrySeconds, limit, quotaModel }: Quota) {
  const quotaMetric = 'generativelanguage.googleapis.com/generate_content_free_tier_requests';
  const message = [
    'You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. To monitor your current usage, head to: https://ai.dev/rate-limit. ',
    `* Quota exceeded for metric: ${quotaMetric}, limit: ${limit}, model: ${quotaModel}`,
    `Please retry in ${retrySeconds}s.`,
  ].join('\n');
  return toReplyStep(
    googleError(429, 'RESOURCE_EXHAUSTED', message, [
      {
        '@type': 'type.googleapis.com/google.rpc.Help',
        links: [
          {
            description: 'Learn more about Gemini API quotas',
            url: 'https://ai.google.dev/gemini-api/docs/rate-limits',
          },
        ],
      },
      {
        '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
        violations: [
          {
            quotaMetric,
            quotaId,
            quotaDimensions: { location: 'global', model: quotaModel },
            ...(limit > 0 ? { quotaValue: String(limit) } : {}),
          },
        ],
      },
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${retrySeconds}s` },
    ]),
  );
}

const perDayQuotaId = 'GenerateRequestsPerDayPerProjectPerModel-FreeTier';
const perMinuteQuotaId = 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier';
const imageModel = 'gemini-2.5-flash-image';

/** The three ways in which a candidate carries no content. */
const emptyContents = { empty: {}, 'null-parts': { parts: null }, 'role-only': { role: 'model' } } as const;

const toCandidates = (parts: readonly Part[]) => ({
  candidates: [{ content: { parts, role: 'model' }, finishReason: 'STOP', index: 0 }],
});
const toAnswerStep = (body: object) => ({ kind: 'answer', body }) as const;
const toImageStep = (bytes: Uint8Array, mimeType: string) =>
  toAnswerStep(toCandidates([{ inlineData: { mimeType, data: Buffer.from(bytes).toString('base64') } }]));

/** Steps for `script` and `always`; narrow one to a model with `{...geminiFault.perDay(), model}`. */
export const geminiFault = {
  ...wireFault,
  /** 429 that passes by itself: the only one whose RetryInfo means what it says. */
  perMinute: (retrySeconds = 20, quotaModel = imageModel) =>
    quotaExceeded({ quotaId: perMinuteQuotaId, retrySeconds, limit: 10, quotaModel }),
  /** 429 until midnight in Los Angeles, though its RetryInfo says one second. */
  perDay: (quotaModel = imageModel) =>
    quotaExceeded({ quotaId: perDayQuotaId, retrySeconds: 1, limit: 100, quotaModel }),
  /** 429 of a project that has no quota at all for the model. */
  limitZero: (quotaModel = imageModel) =>
    quotaExceeded({ quotaId: perDayQuotaId, retrySeconds: 1, limit: 0, quotaModel }),
  /** 429 without details: nothing helps but money. */
  prepaymentDepleted: () =>
    toReplyStep(
      googleError(
        429,
        'RESOURCE_EXHAUSTED',
        'Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your project and billing.',
      ),
    ),
  badKey: () => toReplyStep(apiKeyInvalid()),
  badRegion: () =>
    toReplyStep(googleError(400, 'FAILED_PRECONDITION', 'User location is not supported for the API use.')),
  forbidden: () =>
    toReplyStep(
      googleError(
        403,
        'PERMISSION_DENIED',
        'Your API key was reported as leaked. Please use another API key.',
      ),
    ),
  notFound: (model = imageModel) => toReplyStep(modelNotFound(model)),
  noLongerAvailable: (model = imageModel) => toReplyStep(modelRetired(model)),
  internal: () =>
    toReplyStep(
      googleError(
        500,
        'INTERNAL',
        'An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting',
      ),
    ),
  highDemand: () =>
    toReplyStep(
      googleError(
        503,
        'UNAVAILABLE',
        'This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try again later.',
      ),
    ),
  deadline: () =>
    toReplyStep(googleError(504, 'DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.')),
  /** The model talks in place of painting. */
  textOnly: (text = 'I cannot paint that, but here is a description.') =>
    toAnswerStep(toCandidates([{ text }])),
  /** A candidate without an image, in one of its three forms. */
  noImage: (
    finishReason: string,
    finishMessage = `The model stopped: ${finishReason}.`,
    content: keyof typeof emptyContents = 'empty',
  ) =>
    toAnswerStep({
      candidates: [{ content: emptyContents[content], finishReason, finishMessage, index: 0 }],
    }),
  /** The prompt itself was refused: no candidates. */
  promptBlocked: (blockReason = 'PROHIBITED_CONTENT') => toAnswerStep({ promptFeedback: { blockReason } }),
  emptyImage: () => toAnswerStep(toCandidates([{ inlineData: { mimeType: 'image/png', data: '' } }])),
  notAnImage: () => toImageStep(Buffer.from('this is not an image'), 'image/png'),
  /** These bytes, whatever was asked. */
  image: (bytes: Uint8Array, mimeType = 'image/png') => toImageStep(bytes, mimeType),
  drafts: (count = 1) => ({ kind: 'drafts', count }) as const,
};
