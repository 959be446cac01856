import { type Reply, type WireFault, wireFault } from './server.ts';

/** A part of an answer, as sent over HTTP. */
export type Part = {
  text?: string;
  thought?: boolean;
  thoughtSignature?: string;
  inlineData?: { mimeType: string; data: string };
};

/** What a reply says of itself, beside its candidates. */
export type ReplyMetadata = {
  usageMetadata?: {
    promptTokenCount?: number;
    candidatesTokenCount?: number;
    candidatesTokensDetails?: { modality: string; tokenCount: number }[];
    thoughtsTokenCount?: number;
  };
  modelVersion?: string;
};

/**
 * A fault for the next request, or for the next one to `model`. In addition to the faults of any service, `answer`
 * sends a 200 with this body, to which the fake adds usage, model and id; `drafts` generates an image, preceded by
 * drafts and comments marked as `thought`; `blank` generates an image of one colour. `metadata` replaces what the fake
 * adds.
 */
export type GeminiStep = { model?: string } & (
  | WireFault
  | { kind: 'answer'; body: object; metadata?: ReplyMetadata }
  | { kind: 'drafts'; count: number; metadata?: ReplyMetadata }
  | BlankStep
);

/** An image of the requested size unless it says otherwise. */
export type BlankStep = {
  kind: 'blank';
  /** The model's size at this aspect ratio, instead of the requested one. */
  aspectRatio?: string;
  /** Pixels, instead of the model's size. */
  size?: { width: number; height: number };
  /** image/png by default. */
  mimeType?: 'image/png' | 'image/jpeg' | 'image/webp';
  /** Only the first half of the bytes. */
  isCutOff?: boolean;
};

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

/** Google does not say which image it means. */
export const unreadableImage = (): Reply =>
  googleError(
    400,
    'INVALID_ARGUMENT',
    'Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting',
  );

const toReplyStep = (reply: Reply) => ({ kind: 'reply', ...reply }) as const;

type Quota = {
  quotaId: string;
  retrySeconds: number;
  limit: number;
  quotaModel: string;
  retryDelay?: string;
};

/** A 429 with Google's details. It names `quotaModel`, which may differ from the requested model. */
function quotaExceeded({ quotaId, retrySeconds, limit, quotaModel, retryDelay = `${retrySeconds}s` }: Quota) {
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
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay },
    ]),
  );
}

const perDayQuotaId = 'GenerateRequestsPerDayPerProjectPerModel-FreeTier';
const perMinuteQuotaId = 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier';
const imageModel = 'gemini-2.5-flash-image';

/** The three forms of a candidate without content. */
const emptyContents = { empty: {}, 'null-parts': { parts: null }, 'role-only': { role: 'model' } } as const;

const toCandidates = (parts: readonly Part[], finishReason = 'STOP') => ({
  candidates: [{ content: { parts, role: 'model' }, finishReason, index: 0 }],
});
const toAnswerStep = (body: object) => ({ kind: 'answer', body }) as const;
const toJsonStep = (value: unknown, finishReason?: string) =>
  toAnswerStep(toCandidates([{ text: JSON.stringify(value) }], finishReason));
const toImageStep = (bytes: Uint8Array, mimeType: string) =>
  toAnswerStep(toCandidates([{ inlineData: { mimeType, data: Buffer.from(bytes).toString('base64') } }]));

/** What text models answer in place of an improved prompt. All are HTTP 200. */
const uselessPrompts = {
  refusal: () => toAnswerStep(toCandidates([{ text: "I'm sorry, but I can't assist with that." }])),
  refusalInJson: () => toJsonStep({ prompt: "I'm sorry, but I can't assist with that.", ok: false }),
  cutOff: () => toAnswerStep(toCandidates([{ text: '{"prompt": "A ripe banana on the' }], 'MAX_TOKENS')),
  stoppedForSafety: () => toJsonStep({ prompt: 'A ripe banana on the', ok: true }, 'SAFETY'),
  stoppedForRecitation: () => toJsonStep({ prompt: 'A ripe banana on the', ok: true }, 'RECITATION'),
  options: () =>
    toAnswerStep(toCandidates([{ text: 'Here are three options:\n1. A ripe banana\n2. A green banana' }])),
  optionsInJson: () => toJsonStep([{ prompt: 'A ripe banana', ok: true }]),
  question: () => toAnswerStep(toCandidates([{ text: 'Which style do you prefer: photo or painting?' }])),
  otherShape: () => toJsonStep({ enhanced_prompt: 'A ripe banana', style: 'photo' }),
  textForFlag: () => toJsonStep({ prompt: 'A ripe banana', ok: 'true' }),
  noFlag: () => toJsonStep({ prompt: 'A ripe banana' }),
  listForPrompt: () => toJsonStep({ prompt: ['A ripe banana'], ok: true }),
  empty: () => toJsonStep({ prompt: ' \n ', ok: true }),
  tooLong: () => toJsonStep({ prompt: 'x'.repeat(4_001), ok: true }),
};

/** Steps for `script` and `always`. `{...geminiFault.perDay(), model}` limits a step to a model. */
export const geminiFault = {
  ...wireFault,
  /** 429 that ends after `retrySeconds`: the only 429 with a correct RetryInfo. */
  perMinute: (retrySeconds = 20, quotaModel = imageModel) =>
    quotaExceeded({ quotaId: perMinuteQuotaId, retrySeconds, limit: 10, quotaModel }),
  /** 429 with this text as its RetryInfo. Google's own are such as "45.7s"; others were reported. */
  retryIn: (retryDelay: string, quotaModel = imageModel) =>
    quotaExceeded({ quotaId: perMinuteQuotaId, retrySeconds: 1, limit: 10, quotaModel, retryDelay }),
  /** 429 with this message, and no details unless `withDetails`: Google sends either. */
  quotaMessage: (message: string, withDetails = false) =>
    toReplyStep(
      googleError(
        429,
        'RESOURCE_EXHAUSTED',
        message,
        withDetails
          ? [{ '@type': 'type.googleapis.com/google.rpc.Help', links: [{ description: 'Learn more' }] }]
          : undefined,
      ),
    ),
  /** 429 of a project that has reached the cap its owner set. */
  spendingCap: (withDetails = false) =>
    geminiFault.quotaMessage(
      'Your project has exceeded its monthly spending cap. Please go to AI Studio at https://ai.studio/spend to manage your project spend cap.',
      withDetails,
    ),
  /** 429 until midnight in Los Angeles, though its RetryInfo says one second. */
  perDay: (quotaModel = imageModel) =>
    quotaExceeded({ quotaId: perDayQuotaId, retrySeconds: 1, limit: 100, quotaModel }),
  /** 429 for a project without any quota for the model. */
  limitZero: (quotaModel = imageModel) =>
    quotaExceeded({ quotaId: perDayQuotaId, retrySeconds: 1, limit: 0, quotaModel }),
  /** 429 without details: the project must buy credits. */
  prepaymentDepleted: () =>
    toReplyStep(
      googleError(
        429,
        'RESOURCE_EXHAUSTED',
        'Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your project and billing.',
      ),
    ),
  /** 403 of one model that the project may not use. */
  modelForbidden: (model = imageModel) =>
    toReplyStep(
      googleError(
        403,
        'PERMISSION_DENIED',
        `Your project does not have access to the model models/${model}.`,
      ),
    ),
  /** 404 of a proxy or gateway, in plain text. `html(404)` is its page. */
  plainNotFound: () =>
    ({ kind: 'reply', status: 404, headers: { 'content-type': 'text/plain' }, body: 'not found\n' }) as const,
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
  /** The model answers with text: an image model without an image, a text model without regard to a schema. */
  textOnly: (text = 'I cannot draw that, but here is a description.', finishReason = 'STOP') =>
    toAnswerStep(toCandidates([{ text }], finishReason)),
  /** The model answers with this value in JSON, whatever schema was requested. */
  json: toJsonStep,
  /** Answers of a text model in place of an improved prompt. */
  uselessPrompts,
  /** A candidate without an image, in one of its three forms. */
  noImage: (
    finishReason: string,
    finishMessage = `The model stopped: ${finishReason}.`,
    content: keyof typeof emptyContents = 'empty',
  ) =>
    toAnswerStep({
      candidates: [{ content: emptyContents[content], finishReason, finishMessage, index: 0 }],
    }),
  /** Google blocked the prompt: the answer has no candidates. */
  promptBlocked: (blockReason = 'PROHIBITED_CONTENT') => toAnswerStep({ promptFeedback: { blockReason } }),
  emptyImage: () => toAnswerStep(toCandidates([{ inlineData: { mimeType: 'image/png', data: '' } }])),
  notAnImage: () => toImageStep(Buffer.from('this is not an image'), 'image/png'),
  /** An image with these bytes, for any request. */
  image: (bytes: Uint8Array, mimeType = 'image/png') => toImageStep(bytes, mimeType),
  /** An image of one colour in the requested size, which takes no time to draw. */
  blank: (mimeType: BlankStep['mimeType'] = 'image/png') => ({ kind: 'blank', mimeType }) as const,
  /** An image of another aspect ratio than the requested one. */
  otherShape: (aspectRatio = '1:1') => ({ kind: 'blank', aspectRatio }) as const,
  /** An image of this size, whatever was requested. */
  sized: (width: number, height: number) => ({ kind: 'blank', size: { width, height } }) as const,
  onePixel: () => ({ kind: 'blank', size: { width: 1, height: 1 } }) as const,
  /** The first half of an image. */
  cutOff: (mimeType: BlankStep['mimeType'] = 'image/png') =>
    ({ kind: 'blank', mimeType, isCutOff: true }) as const,
  /** 400: the model cannot read one of the images in the request. */
  badReference: () => toReplyStep(unreadableImage()),
  /** The image is the only part, and marked as a thought. */
  thoughtOnly: (bytes: Uint8Array, finishReason = 'STOP') =>
    toAnswerStep({
      candidates: [
        {
          content: {
            parts: [
              {
                inlineData: { mimeType: 'image/png', data: Buffer.from(bytes).toString('base64') },
                thought: true,
              },
            ],
            role: 'model',
          },
          finishReason,
          index: 0,
        },
      ],
    }),
  drafts: (count = 1, metadata?: ReplyMetadata) =>
    ({ kind: 'drafts', count, ...(metadata && { metadata }) }) as const,
};
